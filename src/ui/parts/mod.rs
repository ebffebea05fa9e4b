//! What screens are made of: buttons, fields, avatars, pictures, lines of chat. They draw and say what was done to them.

pub mod avatar;
pub mod button;
pub mod call_bar;
pub mod card;
pub mod chat;
pub mod device_picker;
pub mod emoji_picker;
pub mod field;
pub mod icon;
pub mod level_meter;
pub mod menu;
pub mod outline;
pub mod picture_tile;
pub mod qr;
pub mod quality;
pub mod rich_text;
pub mod text_links;
pub mod toast;
pub mod typed;
