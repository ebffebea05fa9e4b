use super::*;
use crate::history::lines::from_millis;
use crate::history::record::{Delivery, StoredFile, StoredKind, StoredLine};
use crate::history::test_directory::TestDirectory;

const ADA: PeerId = PeerId([1; 32]);
const BOB: PeerId = PeerId([2; 32]);

fn name(number: u32) -> LineName {
    let mut name = [0; 16];
    name[..4].copy_from_slice(&number.to_be_bytes());
    name
}

fn line(peer: PeerId, number: u32, what: StoredKind) -> StoredLine {
    StoredLine {
        name: name(number),
        peer,
        peer_name: "Ada 王".to_owned(),
        at: from_millis(1_700_000_000_000 + i64::from(number)),
        what,
    }
}

fn received(peer: PeerId, number: u32, text: &str) -> StoredLine {
    line(peer, number, StoredKind::Received { text: text.to_owned(), read: false })
}

fn contact(peer: PeerId, name: &str) -> StoredContact {
    StoredContact {
        peer,
        name: name.to_owned(),
        told_name: "Ada Lovelace".to_owned(),
        server: Some("rtmfp://example.org".to_owned()),
        verified_at: Some(from_millis(1_700_000_000_999)),
        added_at: from_millis(1_600_000_000_000),
    }
}

fn keep(store: &mut Store, changes: Vec<Keep>) {
    store.keep(&changes, true).unwrap();
}

fn texts(page: &Page) -> Vec<String> {
    page.lines
        .iter()
        .map(|line| match &line.what {
            StoredKind::Received { text, .. } | StoredKind::Sent { text, .. } => text.clone(),
            other => format!("{other:?}"),
        })
        .collect()
}

/// Everything in the directory, as bytes: what is gone must be gone from all of it.
fn all_bytes(dir: &Path) -> Vec<u8> {
    fs::read_dir(dir).unwrap().flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn every_kind_of_line_and_a_contact_come_back_as_they_were_after_a_restart() {
    let dir = TestDirectory::new();
    let file = |state, path: Option<&str>| StoredKind::File {
        incoming: true,
        file_name: "picture.png".to_owned(),
        size: 5_000_000_000,
        state,
        path: path.map(PathBuf::from),
        read: true,
    };
    let lines = vec![
        received(ADA, 1, "你好 👋"),
        line(ADA, 2, StoredKind::Sent { text: "hello".to_owned(), state: Delivery::Waiting }),
        line(ADA, 3, StoredKind::Sent { text: "there".to_owned(), state: Delivery::Read }),
        line(
            BOB,
            4,
            StoredKind::Call { incoming: true, seconds: Some(61), reason: "ended".into(), read: false },
        ),
        line(
            BOB,
            5,
            StoredKind::Call { incoming: true, seconds: None, reason: "no_answer".into(), read: true },
        ),
        line(BOB, 6, file(StoredFile::Partial(4_999_999_999), None)),
        line(BOB, 7, file(StoredFile::Done, Some("received/picture.png"))),
    ];
    let remembered =
        Remembered { contacts: vec![contact(ADA, "Ada")], lines: lines.clone(), more: Vec::new() };
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, lines.into_iter().map(Keep::Line).chain([Keep::Contact(contact(ADA, "Ada"))]).collect());
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().remembered().unwrap(), remembered);
}

#[test]
fn a_line_that_changes_keeps_its_place() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    let sent = |state| line(ADA, 1, StoredKind::Sent { text: "first".to_owned(), state });
    keep(&mut store, vec![Keep::Line(sent(Delivery::Sending)), Keep::Line(received(ADA, 2, "second"))]);
    keep(&mut store, vec![Keep::Line(sent(Delivery::Delivered))]);
    let page = store.earlier(ADA, None).unwrap();
    assert_eq!(page.lines, [sent(Delivery::Delivered), received(ADA, 2, "second")]);
}

#[test]
fn earlier_lines_come_by_the_page_until_there_are_no_more() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, (0..250).map(|n| Keep::Line(received(ADA, n, &n.to_string()))).collect());
    keep(&mut store, vec![Keep::Line(received(BOB, 999, "other"))]);
    let remembered = store.remembered().unwrap();
    assert_eq!((remembered.lines.len(), &remembered.more[..]), (101, &[ADA][..]));
    assert_eq!(remembered.lines[0].name, name(150));
    let second = store.earlier(ADA, Some(name(150))).unwrap();
    assert_eq!((texts(&second)[0].as_str(), second.lines.len(), second.more), ("50", 100, true));
    let third = store.earlier(ADA, Some(name(50))).unwrap();
    assert_eq!((third.lines.len(), third.more), (50, false));
    assert_eq!(store.earlier(ADA, Some(name(7_777))).unwrap(), Page::default());
}

#[test]
fn the_latest_conversation_is_remembered_last() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    for (peer, number) in [(ADA, 1), (BOB, 2), (ADA, 3)] {
        keep(&mut store, vec![Keep::Line(received(peer, number, "x"))]);
    }
    let order: Vec<PeerId> = store.remembered().unwrap().lines.iter().map(|line| line.peer).collect();
    assert_eq!(order, [ADA, BOB, ADA]);
}

#[test]
fn what_was_on_screen_is_read() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, vec![Keep::Line(received(ADA, 1, "x")), Keep::Line(received(BOB, 2, "y"))]);
    keep(&mut store, vec![Keep::ReadAll(ADA)]);
    let read = |peer| match &store.earlier(peer, None).unwrap().lines[0].what {
        StoredKind::Received { read, .. } => *read,
        other => panic!("not received: {other:?}"),
    };
    assert!(read(ADA) && !read(BOB));
}

#[test]
fn with_keeping_off_no_new_line_is_kept_but_a_known_one_learns_what_became_of_it() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    let sent = |state| line(ADA, 1, StoredKind::Sent { text: "first".to_owned(), state });
    keep(&mut store, vec![Keep::Line(sent(Delivery::Waiting))]);
    let changes = [
        Keep::Line(sent(Delivery::Delivered)),
        Keep::Line(received(ADA, 2, "not kept")),
        Keep::Line(received(BOB, 3, "not kept")),
        Keep::Contact(contact(BOB, "Bob")),
    ];
    store.keep(&changes, false).unwrap();
    let remembered = store.remembered().unwrap();
    assert_eq!(remembered.lines, [sent(Delivery::Delivered)]);
    assert_eq!(remembered.contacts, [contact(BOB, "Bob")]);
    assert!(!holds(&all_bytes(dir.path()), "not kept"));
}

#[test]
fn erased_text_is_in_no_file_any_more() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    fs::write(dir.path().join("history.before-1.db"), "SECRET-OLD").unwrap();
    keep(&mut store, (0..300).map(|n| Keep::Line(received(ADA, n, &format!("SECRET-A-{n}")))).collect());
    keep(&mut store, vec![Keep::Line(received(BOB, 301, "SECRET-B")), Keep::Contact(contact(ADA, "Ada"))]);
    keep(&mut store, vec![Keep::Erase(Some(ADA))]);
    let bytes = all_bytes(dir.path());
    assert!(!holds(&bytes, "SECRET-A") && !holds(&bytes, "SECRET-OLD") && holds(&bytes, "SECRET-B"));
    keep(&mut store, vec![Keep::Erase(None)]);
    assert!(!holds(&all_bytes(dir.path()), "SECRET"));
    assert_eq!(store.remembered().unwrap().contacts.len(), 1);
}

#[test]
fn a_deleted_line_is_in_no_file_any_more() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, vec![Keep::Line(received(ADA, 1, "SECRET")), Keep::Line(received(ADA, 2, "stays"))]);
    keep(&mut store, vec![Keep::LineGone(ADA, name(1))]);
    assert_eq!(texts(&store.earlier(ADA, None).unwrap()), ["stays"]);
    assert!(!holds(&all_bytes(dir.path()), "SECRET"));
}

#[test]
fn a_contact_is_replaced_and_removed_by_its_peer_id() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, vec![Keep::Contact(contact(ADA, "Ada")), Keep::Contact(contact(BOB, "Bob"))]);
    keep(&mut store, vec![Keep::Contact(contact(ADA, "Countess")), Keep::ContactGone(BOB)]);
    assert_eq!(store.contacts().unwrap(), [contact(ADA, "Countess")]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file_and_its_log() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TestDirectory::new();
    drop(Store::open(dir.path()).unwrap());
    fs::set_permissions(path_in(dir.path()), fs::Permissions::from_mode(0o644)).unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, vec![Keep::Line(received(ADA, 1, "x"))]);
    let mut seen = 0;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
        seen += 1;
    }
    assert!(seen >= 2, "the file and its log");
}

#[test]
fn a_second_program_is_told_that_the_file_is_in_use() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, vec![Keep::Line(received(ADA, 1, "x"))]);
    assert!(matches!(Store::open(dir.path()), Err(HistoryError::InUse)));
}

#[test]
fn a_newer_file_is_left_as_it_is() {
    let dir = TestDirectory::new();
    let store = Store::open(dir.path()).unwrap();
    store.connection.pragma_update(None, "user_version", 4_000).unwrap();
    drop(store);
    let before = all_bytes(dir.path());
    assert!(matches!(Store::open_for_use(dir.path()), Err(HistoryError::TooNew { found: 4_000, .. })));
    assert_eq!(all_bytes(dir.path()), before);
}

#[test]
fn what_is_no_database_is_set_aside_and_a_new_one_begun() {
    let dir = TestDirectory::new();
    fs::write(path_in(dir.path()), vec![7; 10_000]).unwrap();
    let opened = Store::open_for_use(dir.path()).unwrap();
    assert_eq!(opened.remembered, Remembered::default());
    assert_eq!(fs::read(opened.set_aside.unwrap()).unwrap(), vec![7; 10_000]);
}

#[test]
fn contacts_are_saved_out_of_a_file_whose_lines_are_damaged() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, vec![Keep::Contact(contact(ADA, "Ada"))]);
    keep(&mut store, (0..500).map(|n| Keep::Line(received(ADA, n, &"long ".repeat(40)))).collect());
    let root: i64 = store
        .connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'lines'", [], |row| row.get(0))
        .unwrap();
    drop(store);
    let mut bytes = fs::read(path_in(dir.path())).unwrap();
    let from = usize::try_from(root - 1).unwrap() * 4_096;
    bytes[from..from + 4_096].fill(0xff);
    fs::write(path_in(dir.path()), bytes).unwrap();
    let opened = Store::open_for_use(dir.path()).unwrap();
    assert!(opened.set_aside.is_some());
    assert_eq!(opened.remembered.contacts, [contact(ADA, "Ada")]);
}

#[test]
fn a_line_of_a_kind_that_is_not_known_is_passed_over() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    keep(&mut store, vec![Keep::Line(received(ADA, 1, "x")), Keep::Line(received(ADA, 2, "y"))]);
    store.connection.execute("UPDATE lines SET kind = 77 WHERE text = 'x'", []).unwrap();
    assert_eq!(texts(&store.earlier(ADA, None).unwrap()), ["y"]);
}

#[test]
fn changes_that_fail_halfway_leave_nothing() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    store
        .connection
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON lines WHEN NEW.text = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    let changes = [Keep::Line(received(ADA, 1, "good")), Keep::Line(received(ADA, 2, "bad"))];
    assert!(store.keep(&changes, true).is_err());
    assert_eq!(store.earlier(ADA, None).unwrap(), Page::default());
}

#[test]
fn a_full_disk_is_said_as_such() {
    let dir = TestDirectory::new();
    let mut store = Store::open(dir.path()).unwrap();
    store.connection.pragma_update_and_check(None, "max_page_count", 20, |_| Ok(())).unwrap();
    let changes: Vec<Keep> = (0..500).map(|n| Keep::Line(received(ADA, n, &"long ".repeat(40)))).collect();
    assert!(matches!(store.keep(&changes, true), Err(HistoryError::DiskFull)));
    assert_eq!(store.earlier(ADA, None).unwrap(), Page::default());
}

/// A file with a good line and a good contact, to which this is done beside the program.
fn spoilt(dir: &TestDirectory, sql: &str) {
    let mut store = Store::open(dir.path()).unwrap();
    keep(
        &mut store,
        vec![
            Keep::Contact(contact(BOB, "Bob")),
            Keep::Line(received(BOB, 1, "good")),
            Keep::Line(received(ADA, 2, "bad")),
        ],
    );
    keep(&mut store, vec![Keep::Contact(contact(ADA, "Ada"))]);
    store.connection.execute_batch(sql).unwrap();
}

#[test]
fn rows_that_make_no_sense_are_passed_over_and_take_nothing_with_them() {
    for sql in [
        "UPDATE lines SET text = CAST(x'ff00fe' AS TEXT) WHERE number = 2;
         UPDATE contacts SET name = CAST(x'ff' AS TEXT) WHERE name = 'Ada'",
        "UPDATE lines SET kind = 77 WHERE number = 2; UPDATE contacts SET told_name = CAST(x'80' AS TEXT) WHERE name = 'Ada'",
        "UPDATE lines SET kind = 1, state = -9 WHERE number = 2; DELETE FROM contacts WHERE name = 'Ada'",
        "UPDATE lines SET incoming = 3, peer_name = CAST(x'c0' AS TEXT) WHERE number = 2;
         UPDATE contacts SET server = CAST(x'f8' AS TEXT) WHERE name = 'Ada'",
    ] {
        let dir = TestDirectory::new();
        spoilt(&dir, sql);
        let opened = Store::open_for_use(dir.path()).unwrap();
        assert_eq!(opened.set_aside, None);
        assert_eq!(opened.remembered.lines, [received(BOB, 1, "good")], "{sql}");
        assert_eq!(opened.remembered.contacts, [contact(BOB, "Bob")], "{sql}");
        opened.store.export(&dir.path().join("export.json"), from_millis(0)).unwrap();
    }
}

#[test]
fn moments_and_lengths_beyond_sense_are_read_all_the_same() {
    let dir = TestDirectory::new();
    spoilt(
        &dir,
        "UPDATE lines SET at = -9223372036854775808;
         UPDATE lines SET at = 9223372036854775807, kind = 3, state = 1, incoming = 1, size = -1, done = -5 WHERE number = 2;
         UPDATE contacts SET added_at = 9223372036854775807, verified_at = -9223372036854775808",
    );
    let opened = Store::open_for_use(dir.path()).unwrap();
    assert_eq!((opened.remembered.lines.len(), opened.remembered.contacts.len()), (2, 2));
    opened.store.export(&dir.path().join("export.json"), from_millis(i64::MAX)).unwrap();
}

#[test]
fn a_file_that_lacks_what_its_form_promises_is_set_aside() {
    let dir = TestDirectory::new();
    spoilt(&dir, "ALTER TABLE lines DROP COLUMN seconds");
    let opened = Store::open_for_use(dir.path()).unwrap();
    assert!(opened.set_aside.is_some());
    assert_eq!(opened.remembered.lines, []);
    assert_eq!(opened.remembered.contacts.len(), 2, "the contacts that could be read");
}

#[test]
fn a_file_that_was_cut_off_is_set_aside_and_a_new_one_begun() {
    let dir = TestDirectory::new();
    {
        let mut store = Store::open(dir.path()).unwrap();
        keep(&mut store, (0..500).map(|n| Keep::Line(received(ADA, n, &"long ".repeat(50)))).collect());
    }
    let path = path_in(dir.path());
    let whole = fs::read(&path).unwrap();
    for length in [50, 100, 4096, 5000, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let opened = Store::open_for_use(dir.path()).unwrap();
        assert!(opened.remembered.lines.len() <= 100, "cut to {length}");
    }
}
