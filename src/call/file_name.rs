//! Names of files that others offer, made so that they can be shown and written: they name one file in one folder, on
//! every system, and look like what they are. Pure.

/// The longest name, in bytes of UTF-8: what common file systems take, less room for ` (999)` and `.part`.
const LONGEST: usize = 200;
/// The longest ending that is kept when a name is cut.
const LONGEST_ENDING: usize = 16;
/// What a name becomes of which nothing is left.
const NAMELESS: &str = "file";

/// Names that are devices on Windows, whatever ending they have.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// A name that is safe to show and to write, whatever came.
pub(crate) fn safe(name: &str) -> String {
    // Whatever looks like a folder before it goes, in every system's writing.
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let kept: String = last.chars().filter(|c| !is_hidden(*c)).map(plain).collect();
    // Leading dots hide a file; ends of dots and spaces vanish on Windows.
    let kept = kept.trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    let kept = kept.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    let name = cut(kept);
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    if is_device(&name) { format!("_{name}") } else { name }
}

/// The name of the n-th file that would be called so: `name.ext`, `name (2).ext`, …
pub(crate) fn numbered(name: &str, number: u32) -> String {
    if number <= 1 {
        return name.to_owned();
    }
    let (stem, ending) = split(name);
    format!("{stem} ({number}){ending}")
}

/// What cannot be seen, or turns the text around it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What some system gives a meaning of its own.
fn plain(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// At most [`LONGEST`] bytes, with the ending kept: it says what the file is.
fn cut(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let (stem, ending) = split(name);
    let stem = &stem[..stem.floor_char_boundary(LONGEST - ending.len())];
    format!("{}{ending}", stem.trim_end())
}

/// The name without its ending, and the ending with its dot.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST_ENDING => name.split_at(dot),
        _ => (name, ""),
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device).is_some_and(|rest| {
            matches!(rest, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        })
    };
    DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ordinary_name_stays_as_it_is() {
        for name in ["holiday.jpg", "报告 (终稿).pdf", "a.tar.gz", "Grüße.txt", "🐈.png", "README"] {
            assert_eq!(safe(name), name);
        }
    }

    #[test]
    fn no_folder_is_left_in_a_name() {
        assert_eq!(safe("../../etc/passwd"), "passwd");
        assert_eq!(safe(r"C:\Windows\System32\cmd.exe"), "cmd.exe");
        assert_eq!(safe("photos/"), "photos");
        assert_eq!(safe("a/..\\.."), "file");
    }

    #[test]
    fn what_hides_a_file_or_its_ending_goes() {
        assert_eq!(safe(".bashrc"), "bashrc");
        assert_eq!(safe("..."), "file");
        assert_eq!(safe("picture\u{202e}gnp.exe"), "picturegnp.exe");
        assert_eq!(safe("a\0b\nc.txt. . "), "abc.txt");
        assert_eq!(safe("two\u{200b}parts\u{ad}.txt"), "twoparts.txt");
    }

    #[test]
    fn characters_that_mean_something_to_a_system_are_replaced() {
        assert_eq!(safe("what? <now>: \"yes\"|*.txt"), "what_ _now__ _yes___.txt");
        assert_eq!(safe("notes.txt:stream"), "notes.txt_stream");
    }

    #[test]
    fn a_device_is_no_name_for_a_file() {
        for name in ["con", "NUL.txt", "com1.tar.gz", "LPT9", "aux .h", "COM¹.txt", "conin$"] {
            assert_eq!(safe(name), format!("_{name}"));
        }
        for name in ["console.txt", "com10.txt", "null.txt"] {
            assert_eq!(safe(name), name);
        }
    }

    #[test]
    fn a_long_name_is_cut_before_its_ending() {
        let name = safe(&format!("{}.jpeg", "猫".repeat(200)));
        assert!(name.len() <= LONGEST && name.ends_with(".jpeg"), "{name}");
        let name = safe(&format!("x.{}", "y".repeat(500)));
        assert_eq!(name.len(), LONGEST);
    }

    #[test]
    fn the_second_file_of_a_name_gets_a_number_before_its_ending() {
        assert_eq!(numbered("a.tar.gz", 1), "a.tar.gz");
        assert_eq!(numbered("photo.jpg", 2), "photo (2).jpg");
        assert_eq!(numbered("README", 3), "README (3)");
    }

    proptest! {
        #[test]
        fn whatever_comes_becomes_one_safe_name(name in any::<String>()) {
            let safe = super::safe(&name);
            prop_assert!(!safe.is_empty() && safe.len() <= LONGEST + 1);
            prop_assert!(!safe.contains(['/', '\\', '\0', ':']));
            prop_assert!(!safe.starts_with('.') && !safe.ends_with(['.', ' ']));
            prop_assert!(!is_device(&safe));
            prop_assert_eq!(super::safe(&safe), safe.clone());
        }
    }
}
