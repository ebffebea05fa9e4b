//! Which languages there are, what each calls itself, and which one the system speaks.

use super::speak;
use crate::settings::Language;

/// Every language, as a list shows them.
pub const ALL: [Language; 3] = [Language::English, Language::SimplifiedChinese, Language::TraditionalChinese];

/// What a language calls itself: who does not read the others finds it all the same.
pub fn own_name(language: Language) -> &'static str {
    super::word_in(language, "language.own_name")
}

/// The language's tag, as BCP 47 writes it; also the name of its folder.
pub fn tag(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::SimplifiedChinese => "zh-CN",
        Language::TraditionalChinese => "zh-TW",
    }
}

/// Speaks the language that was chosen, or the system's.
pub fn follow(chosen: Option<Language>) {
    speak(chosen.unwrap_or_else(system_language));
}

/// The first of the system's languages that is known here, else English.
pub fn system_language() -> Language {
    sys_locale::get_locales().find_map(|locale| from_locale(&locale)).unwrap_or_default()
}

/// The language of a locale's name, written as BCP 47 (`zh-Hant-TW`) or POSIX (`zh_TW.UTF-8`) has it.
///
/// `None` for one that is not spoken here. Chinese goes by its script, and without one by its region.
pub fn from_locale(locale: &str) -> Option<Language> {
    let bare = locale.split(['.', '@']).next().unwrap_or_default();
    let mut parts = bare.split(['-', '_']).map(str::to_ascii_lowercase);
    match parts.next()?.as_str() {
        "en" => Some(Language::English),
        "zh" => {
            let rest: Vec<String> = parts.collect();
            let has = |part: &str| rest.iter().any(|other| other == part);
            if has("hans") {
                Some(Language::SimplifiedChinese)
            } else if has("hant") || has("tw") || has("hk") || has("mo") {
                Some(Language::TraditionalChinese)
            } else {
                Some(Language::SimplifiedChinese)
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_goes_by_its_script_and_then_by_its_region() {
        for simplified in ["zh", "zh-CN", "zh_CN.UTF-8", "zh-Hans", "zh-Hans-HK", "zh-SG", "ZH_sg"] {
            assert_eq!(from_locale(simplified), Some(Language::SimplifiedChinese), "{simplified}");
        }
        for traditional in ["zh-TW", "zh_TW.UTF-8", "zh-Hant", "zh-Hant-SG", "zh-HK", "zh_MO@x"] {
            assert_eq!(from_locale(traditional), Some(Language::TraditionalChinese), "{traditional}");
        }
    }

    #[test]
    fn a_language_that_is_not_spoken_here_gives_way_to_the_next() {
        assert_eq!(from_locale("de-AT"), None);
        assert_eq!(from_locale("C"), None);
        assert_eq!(from_locale(""), None);
        assert_eq!(from_locale("en-GB"), Some(Language::English));
    }

    #[test]
    fn each_language_names_itself_by_its_own_signs() {
        let names = ALL.map(own_name);
        assert!(names.iter().all(|name| !name.contains('.')), "{names:?}");
        assert_ne!(names[1], names[2]);
    }
}
