use super::*;
use crate::call::random_id::RandomId;
use crate::rtmfp::PeerId;
use crate::settings::scratch::Scratch;

const KEY: FileKey = FileKey { peer: PeerId([1; 32]), id: RandomId([2; 16]) };

fn sum(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn desk(scratch: &Scratch) -> Desk {
    Desk::new(scratch.path().join("downloads"), Arc::default())
}

fn place(desk: &mut Desk, name: &str, size: u64, part: Option<PathBuf>) -> (PathBuf, u64) {
    match desk.work(FileJob::Place { key: KEY, name: name.into(), size, part }) {
        Some(FileReport::Placed { part, offset, .. }) => (part, offset),
        other => panic!("no place: {other:?}"),
    }
}

fn write(desk: &mut Desk, offset: u64, bytes: &'static [u8]) {
    let report = desk.work(FileJob::Write { key: KEY, offset, bytes: Bytes::from_static(bytes) });
    assert_eq!(report, Some(FileReport::Written { key: KEY, up_to: offset + bytes.len() as u64 }));
}

fn finish(desk: &mut Desk, digest: [u8; 32]) -> Result<PathBuf, FileFailure> {
    match desk.work(FileJob::Finish { key: KEY, digest }) {
        Some(FileReport::Finished { path, .. }) => Ok(path),
        Some(FileReport::Failed { why, .. }) => Err(why),
        other => panic!("neither finished nor failed: {other:?}"),
    }
}

fn read(
    desk: &mut Desk,
    path: &Path,
    size: u64,
    offset: u64,
    most: usize,
) -> Result<(Bytes, Option<[u8; 32]>), FileFailure> {
    match desk.work(FileJob::Read { key: KEY, path: path.to_owned(), size, offset, most }) {
        Some(FileReport::Read { bytes, digest, .. }) => Ok((bytes, digest)),
        Some(FileReport::Failed { why, .. }) => Err(why),
        other => panic!("neither read nor failed: {other:?}"),
    }
}

#[test]
fn what_comes_has_its_name_only_when_it_is_whole() {
    let scratch = Scratch::new();
    let mut desk = desk(&scratch);
    let (part, offset) = place(&mut desk, "a.txt", 10, None);
    assert_eq!((part.clone(), offset), (scratch.path().join("downloads/a.txt.part"), 0));
    write(&mut desk, 0, b"01234");
    write(&mut desk, 5, b"56789");
    assert!(!scratch.path().join("downloads/a.txt").exists());
    let path = finish(&mut desk, sum(b"0123456789")).expect("finished");
    assert_eq!(fs::read(&path).expect("it is there"), b"0123456789");
    assert!(!part.exists());
}

#[test]
fn what_exists_is_never_overwritten() {
    let scratch = Scratch::new();
    let mut desk = desk(&scratch);
    fs::create_dir_all(&desk.folder).expect("a folder");
    fs::write(desk.folder.join("a.txt"), "mine").expect("a file");
    place(&mut desk, "a.txt", 1, None);
    // Somebody takes the next name too while the file comes.
    fs::write(desk.folder.join("a (2).txt"), "mine too").expect("a file");
    write(&mut desk, 0, b"x");
    let path = finish(&mut desk, sum(b"x")).expect("finished");
    assert_eq!(path, desk.folder.join("a (3).txt"));
    assert_eq!(fs::read(desk.folder.join("a.txt")).expect("it is there"), b"mine");
    assert_eq!(fs::read(desk.folder.join("a (2).txt")).expect("it is there"), b"mine too");
}

#[test]
fn what_came_before_a_restart_goes_on_where_it_ended() {
    let scratch = Scratch::new();
    let mut first = desk(&scratch);
    let (part, _) = place(&mut first, "a.txt", 10, None);
    write(&mut first, 0, b"0123");
    let mut second = desk(&scratch);
    assert_eq!(place(&mut second, "a.txt", 10, Some(part.clone())), (part, 4));
    write(&mut second, 4, b"456789");
    assert!(finish(&mut second, sum(b"0123456789")).is_ok());
}

#[test]
fn a_part_that_is_gone_or_too_long_begins_anew() {
    let scratch = Scratch::new();
    let mut desk = desk(&scratch);
    fs::create_dir_all(&desk.folder).expect("a folder");
    let gone = desk.folder.join("gone.part");
    assert_eq!(place(&mut desk, "a.txt", 10, Some(gone)), (desk.folder.join("a.txt.part"), 0));
    let long = desk.folder.join("long.part");
    fs::write(&long, [0; 20]).expect("a file");
    assert_eq!(place(&mut desk, "b.txt", 10, Some(long)), (desk.folder.join("b.txt.part"), 0));
}

#[test]
fn what_is_not_what_was_sent_is_deleted() {
    let scratch = Scratch::new();
    let mut desk = desk(&scratch);
    let (part, _) = place(&mut desk, "a.txt", 1, None);
    write(&mut desk, 0, b"x");
    assert_eq!(finish(&mut desk, sum(b"y")), Err(FileFailure::Damaged));
    assert!(!part.exists() && !desk.folder.join("a.txt").exists());
}

#[test]
fn a_stopped_file_leaves_nothing_behind_and_no_other_file_is_deleted_for_one() {
    let scratch = Scratch::new();
    let mut desk = desk(&scratch);
    let (part, _) = place(&mut desk, "a.txt", 5, None);
    write(&mut desk, 0, b"x");
    assert_eq!(desk.work(FileJob::Discard { key: KEY, part: None }), None);
    assert!(!part.exists());
    let other = desk.folder.join("other.txt");
    fs::write(&other, "mine").expect("a file");
    desk.work(FileJob::Discard { key: KEY, part: Some(other.clone()) });
    assert!(other.exists());
}

#[test]
fn a_file_is_read_in_pieces_and_its_sum_comes_with_the_last() {
    let scratch = Scratch::new();
    let (mut desk, path) = (desk(&scratch), scratch.path().join("original"));
    fs::write(&path, "0123456789").expect("a file");
    assert_eq!(read(&mut desk, &path, 10, 0, 6), Ok((Bytes::from("012345"), None)));
    assert_eq!(read(&mut desk, &path, 10, 6, 6), Ok((Bytes::from("6789"), Some(sum(b"0123456789")))));
    assert_eq!(read(&mut desk, &path, 10, 10, 0), Ok((Bytes::new(), Some(sum(b"0123456789")))));
}

#[test]
fn reading_begins_anywhere_and_the_sum_is_still_that_of_the_whole() {
    let scratch = Scratch::new();
    let (mut desk, path) = (desk(&scratch), scratch.path().join("original"));
    fs::write(&path, "0123456789").expect("a file");
    assert_eq!(read(&mut desk, &path, 10, 7, 9), Ok((Bytes::from("789"), Some(sum(b"0123456789")))));
    assert_eq!(read(&mut desk, &path, 10, 3, 2), Ok((Bytes::from("34"), None)));
    assert_eq!(read(&mut desk, &path, 10, 5, 9), Ok((Bytes::from("56789"), Some(sum(b"0123456789")))));
}

#[test]
fn a_file_that_is_no_longer_what_it_was_is_not_sent() {
    let scratch = Scratch::new();
    let (mut desk, path) = (desk(&scratch), scratch.path().join("original"));
    fs::write(&path, "0123456789").expect("a file");
    assert_eq!(read(&mut desk, &path, 11, 0, 6), Err(FileFailure::Changed));
    assert!(read(&mut desk, &path, 10, 0, 6).is_ok());
    OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(7)).expect("it gets shorter");
    assert_eq!(read(&mut desk, &path, 10, 6, 4), Err(FileFailure::Changed));
}

#[test]
fn only_files_are_offered() {
    let scratch = Scratch::new();
    let mut desk = desk(&scratch);
    let mut look = |path: PathBuf| desk.work(FileJob::Look { key: KEY, path });
    let folder = look(scratch.path().to_owned());
    assert!(matches!(folder, Some(FileReport::Failed { why: FileFailure::NotAFile, .. })), "{folder:?}");
    let nothing = look(scratch.path().join("nothing"));
    assert!(matches!(nothing, Some(FileReport::Failed { why: FileFailure::System(_), .. })), "{nothing:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_is_told() {
    let scratch = Scratch::new();
    let mut desk = desk(&scratch);
    let (part, _) = place(&mut desk, "a.txt", 5, None);
    let full = OpenOptions::new().write(true).open("/dev/full").expect("the device that is always full");
    desk.places.get_mut(&KEY).expect("a place").file = full;
    let report = desk.work(FileJob::Write { key: KEY, offset: 0, bytes: Bytes::from_static(b"x") });
    assert!(matches!(report, Some(FileReport::Failed { why: FileFailure::System(_), .. })), "{report:?}");
    assert_eq!(desk.work(FileJob::Write { key: KEY, offset: 1, bytes: Bytes::from_static(b"y") }), None);
    desk.work(FileJob::Discard { key: KEY, part: Some(part.clone()) });
    assert!(!part.exists());
}

#[cfg(unix)]
#[test]
fn what_comes_is_not_executable() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let mut desk = desk(&scratch);
    place(&mut desk, "a.sh", 0, None);
    let path = finish(&mut desk, sum(b"")).expect("finished");
    assert_eq!(fs::metadata(path).expect("it is there").permissions().mode() & 0o111, 0);
}

#[cfg(unix)]
#[test]
fn a_link_that_took_the_place_of_a_part_is_not_followed() {
    let scratch = Scratch::new();
    let precious = scratch.path().join("precious.part");
    fs::write(&precious, b"mine").unwrap();
    let part = scratch.path().join("downloads/cat.png.part");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&precious, &part).unwrap();
    let mut desk = desk(&scratch);
    let (placed, offset) = place(&mut desk, "cat.png", 10, Some(part.clone()));
    assert!(placed != part && offset == 0, "{placed:?} at {offset}");
    write(&mut desk, 0, b"0123456789");
    assert_eq!(fs::read(&precious).unwrap(), b"mine");
}
