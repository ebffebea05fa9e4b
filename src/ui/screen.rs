//! Which screen is on: it follows from the view, and from what was chosen in the list.

use crate::call::view::CallState;
use crate::call::{ClientView, PeerId};

/// What stands beside the list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Beside {
    /// Nothing yet: what to do is said there.
    #[default]
    Start,
    /// A conversation.
    Conversation(PeerId),
    /// The settings.
    Settings,
}

/// The screens that fill the window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Screen {
    /// The first run.
    Welcome,
    /// The list and what is beside it; a card for a call that rings or is over lies on top.
    Home,
    /// We call.
    Dialling,
    /// A call is up.
    InCall,
}

/// The screen for a view.
pub fn screen_of(view: &ClientView) -> Screen {
    match &view.call {
        CallState::Up(_) => Screen::InCall,
        CallState::Outgoing { .. } => Screen::Dialling,
        // A call that rings is answered before anything else, also during the first run.
        CallState::Incoming { .. } | CallState::Ended { .. } => Screen::Home,
        CallState::None if view.own.name.is_empty() => Screen::Welcome,
        CallState::None => Screen::Home,
    }
}

/// Whether camera and microphone are open only to be tried: in the first run, when it is `checking` once more, and in
/// the sections of the settings where they are `seen`. The camera's light is off everywhere else.
pub fn wants_preview(screen: Screen, beside: Beside, checking: bool, seen: bool) -> bool {
    let at_home = screen == Screen::Home;
    screen == Screen::Welcome || (at_home && (checking || (beside == Beside::Settings && seen)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::view::{FarEnd, OwnCard};

    #[test]
    fn nobody_is_asked_for_a_name_twice() {
        assert_eq!(screen_of(&ClientView::default()), Screen::Welcome);
        let own = OwnCard { name: "Ada".into(), ..OwnCard::default() };
        assert_eq!(screen_of(&ClientView { own, ..ClientView::default() }), Screen::Home);
    }

    #[test]
    fn a_call_that_rings_does_not_take_the_list_away() {
        let far = FarEnd { name: "Bo".into(), peer_id: None, known: Default::default() };
        let call = CallState::Incoming { far, with_video: true };
        assert_eq!(screen_of(&ClientView { call, ..ClientView::default() }), Screen::Home);
    }
}
