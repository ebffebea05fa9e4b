//! What screens are made of: buttons, fields, avatars, pictures, lines of chat. They draw and say what was done to them.

pub mod avatar;
pub mod banner;
pub mod button;
pub mod call_bar;
pub mod call_menu;
pub mod call_tile;
pub mod card;
pub mod chat;
pub mod decline_message;
pub mod device_picker;
pub mod field;
pub mod icon;
pub mod known;
pub mod level_meter;
pub mod list_row;
pub mod outline;
pub mod path_asked;
pub mod picture_tile;
pub mod quality;
pub mod quality_graph;
pub mod self_view;
pub mod toast;
pub mod typed;
