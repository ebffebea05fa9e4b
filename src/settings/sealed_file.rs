//! Bytes sealed with a passphrase: Argon2id makes the key (RFC 9106), XChaCha20-Poly1305 seals.
//!
//! ```text
//! magic (16) | version (1) | KiB (4) | passes (4) | lanes (4) | salt (16) | nonce (24) | sealed (n + 16) | SHA-256 (32)
//! ```
//!
//! Numbers are big-endian. Everything before `sealed` is authenticated with it. The sum at the end is over all before it:
//! with it, a damaged file is told apart from a wrong passphrase; without it nobody could tell.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const MAGIC: &[u8; 16] = b"tincan sealed 1\n";
const VERSION: u8 = 1;
const SALT: usize = 16;
const NONCE: usize = 24;
const SUM: usize = 32;
const HEADER: usize = 16 + 1 + 12 + SALT + NONCE;

/// What RFC 9106 §4 recommends where memory is limited: about half a second, once a backup.
const COST: Cost = Cost { kib: 64 << 10, passes: 3, lanes: 4 };
/// What a file may ask of this computer at most: nobody's memory is filled by a file from elsewhere.
const MOST: Cost = Cost { kib: 1 << 20, passes: 16, lanes: 16 };

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Cost {
    kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why bytes are not sealed or opened. Each message completes a sentence about the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// It is another kind of file.
    #[error("it is no backup")]
    NotSealed,
    /// A newer version of the program made it.
    #[error("it was made by a newer version")]
    TooNew,
    /// It is not as it was written.
    #[error("it is damaged")]
    Damaged,
    /// The passphrase is another one.
    #[error("the passphrase is wrong")]
    NotOpened,
    /// The system gives no randomness, or not enough memory.
    #[error("this computer does not allow it: {0}")]
    System(&'static str),
}

/// Seals bytes with a passphrase.
///
/// # Errors
/// [`SealError::System`].
pub fn seal(plain: &[u8], passphrase: &str) -> Result<Vec<u8>, SealError> {
    seal_at(COST, plain, passphrase)
}

fn seal_at(cost: Cost, plain: &[u8], passphrase: &str) -> Result<Vec<u8>, SealError> {
    let mut random = [0; SALT + NONCE];
    getrandom::fill(&mut random).map_err(|_| SealError::System("no randomness"))?;
    let mut file = Vec::with_capacity(HEADER + plain.len() + 16 + SUM);
    file.extend_from_slice(MAGIC);
    file.push(VERSION);
    for number in [cost.kib, cost.passes, cost.lanes] {
        file.extend_from_slice(&number.to_be_bytes());
    }
    file.extend_from_slice(&random);
    let (salt, nonce) = random.split_first_chunk::<SALT>().expect("random bytes begin with the salt");
    let nonce: [u8; NONCE] = nonce.try_into().expect("and end with the nonce");
    let cipher = cipher(cost, passphrase, salt)?;
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &file })
        .map_err(|_| SealError::System("too much to seal"))?;
    file.extend_from_slice(&sealed);
    let sum = Sha256::digest(&file);
    file.extend_from_slice(&sum);
    Ok(file)
}

/// Opens what [`seal`] made.
///
/// # Errors
/// A [`SealError`].
pub fn open(file: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let after = file.strip_prefix(MAGIC).ok_or(SealError::NotSealed)?;
    match after.first() {
        Some(&VERSION) => {}
        Some(version) if *version > VERSION => return Err(SealError::TooNew),
        _ => return Err(SealError::Damaged),
    }
    let (whole, sum) = file.split_last_chunk::<SUM>().ok_or(SealError::Damaged)?;
    if Sha256::digest(whole).as_slice() != sum {
        return Err(SealError::Damaged);
    }
    let (header, sealed) = whole.split_first_chunk::<HEADER>().ok_or(SealError::Damaged)?;
    let number = |at: usize| header[at..at + 4].iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let cost = Cost { kib: number(17), passes: number(21), lanes: number(25) };
    if cost.kib > MOST.kib || cost.passes > MOST.passes || cost.lanes > MOST.lanes {
        return Err(SealError::Damaged);
    }
    let salt: [u8; SALT] = header[29..29 + SALT].try_into().expect("the salt has its length");
    let nonce: [u8; NONCE] = header[29 + SALT..].try_into().expect("the nonce ends the header");
    let cipher = cipher(cost, passphrase, &salt)?;
    let plain = cipher.decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: header });
    plain.map(Zeroizing::new).map_err(|_| SealError::NotOpened)
}

fn cipher(cost: Cost, passphrase: &str, salt: &[u8; SALT]) -> Result<XChaCha20Poly1305, SealError> {
    let params = Params::new(cost.kib, cost.passes, cost.lanes, Some(32)).map_err(|_| SealError::Damaged)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|_| SealError::System("not enough memory"))?;
    XChaCha20Poly1305::new_from_slice(&*key).map_err(|_| SealError::System("no key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { kib: 64, passes: 1, lanes: 1 };

    fn sealed() -> Vec<u8> {
        seal_at(CHEAP, b"who I am", "correct horse").unwrap()
    }

    #[test]
    fn what_was_sealed_opens_with_its_passphrase_only() {
        assert_eq!(**open(&sealed(), "correct horse").unwrap(), *b"who I am");
        assert_eq!(open(&sealed(), "correct horsf"), Err(SealError::NotOpened));
    }

    #[test]
    fn two_seals_of_the_same_share_nothing_after_the_costs() {
        let (one, two) = (sealed(), sealed());
        assert_ne!(one[29..29 + SALT], two[29..29 + SALT]);
        assert_ne!(one[HEADER..], two[HEADER..]);
    }

    #[test]
    fn damage_anywhere_is_told_apart_from_a_wrong_passphrase() {
        let file = sealed();
        for at in MAGIC.len() + 1..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert_eq!(open(&damaged, "correct horse"), Err(SealError::Damaged), "byte {at}");
        }
        for length in MAGIC.len()..file.len() {
            assert_eq!(open(&file[..length], "correct horse"), Err(SealError::Damaged), "{length} bytes");
        }
    }

    #[test]
    fn other_files_and_newer_ones_are_told_as_such() {
        assert_eq!(open(b"", "x"), Err(SealError::NotSealed));
        assert_eq!(open(b"holiday pictures, not a backup", "x"), Err(SealError::NotSealed));
        let mut newer = sealed();
        newer[MAGIC.len()] = VERSION + 1;
        assert_eq!(open(&newer, "x"), Err(SealError::TooNew));
    }

    #[test]
    fn a_file_that_asks_for_all_memory_is_refused() {
        let mut file = sealed();
        file.truncate(file.len() - SUM);
        file[17..21].copy_from_slice(&u32::MAX.to_be_bytes());
        let sum = Sha256::digest(&file);
        file.extend_from_slice(&sum);
        assert_eq!(open(&file, "correct horse"), Err(SealError::Damaged));
    }
}
