//! What is asked of the desk that reads and writes files, and what it answers: plain data between the machine, which
//! touches no disk, and [`super::file_desk`], which decides nothing.

use std::path::PathBuf;

use bytes::Bytes;

use super::random_id::RandomId;
use crate::rtmfp::PeerId;

/// Names a file on its way: with whom, and which line of the conversation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FileKey {
    /// With whom.
    pub peer: PeerId,
    /// Which line.
    pub id: RandomId,
}

/// One thing to do. Those of one file are done in the order they were asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileJob {
    /// Finds out whether this can be offered: [`FileReport::Looked`].
    Look {
        /// The file to be.
        key: FileKey,
        /// Where it lies.
        path: PathBuf,
    },
    /// Reads on: [`FileReport::Read`].
    Read {
        /// Which.
        key: FileKey,
        /// Where it lies.
        path: PathBuf,
        /// How long it was when it was offered; another length now is a failure.
        size: u64,
        /// From this byte.
        offset: u64,
        /// At most so many bytes; none asks for the sum only.
        most: usize,
    },
    /// Makes a place for a file that comes, or finds what came of it before: [`FileReport::Placed`].
    Place {
        /// Which.
        key: FileKey,
        /// Its name, made safe.
        name: String,
        /// Bytes.
        size: u64,
        /// What came before.
        part: Option<PathBuf>,
    },
    /// Writes a piece: [`FileReport::Written`].
    Write {
        /// Of which.
        key: FileKey,
        /// Where it begins.
        offset: u64,
        /// The piece.
        bytes: Bytes,
    },
    /// All of it was written: compares it with its sum and gives it its name: [`FileReport::Finished`].
    Finish {
        /// Which.
        key: FileKey,
        /// The SHA-256 of what was sent.
        digest: [u8; 32],
    },
    /// Deletes what came of a file.
    Discard {
        /// Which.
        key: FileKey,
        /// Where it lies, if a place was made.
        part: Option<PathBuf>,
    },
    /// Lets go of a file that was read.
    Close {
        /// Which.
        key: FileKey,
    },
}

impl FileJob {
    /// Which file it is about.
    pub fn key(&self) -> FileKey {
        match self {
            Self::Look { key, .. }
            | Self::Read { key, .. }
            | Self::Place { key, .. }
            | Self::Write { key, .. }
            | Self::Finish { key, .. }
            | Self::Discard { key, .. }
            | Self::Close { key } => *key,
        }
    }

    /// Where that lies, when the job says so.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Look { path, .. } | Self::Read { path, .. } => Some(path.clone()),
            Self::Place { part, .. } | Self::Discard { part, .. } => part.clone(),
            Self::Write { .. } | Self::Finish { .. } | Self::Close { .. } => None,
        }
    }
}

/// What came of a job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileReport {
    /// It can be offered.
    Looked {
        /// Which.
        key: FileKey,
        /// Bytes.
        size: u64,
    },
    /// A piece was read.
    Read {
        /// Of which.
        key: FileKey,
        /// Where it begins.
        offset: u64,
        /// The piece.
        bytes: Bytes,
        /// The SHA-256 of all of it, with the last piece.
        digest: Option<[u8; 32]>,
    },
    /// There is a place.
    Placed {
        /// For which.
        key: FileKey,
        /// Where it grows.
        part: PathBuf,
        /// So many bytes are there already.
        offset: u64,
    },
    /// Everything up to this byte is with the system.
    Written {
        /// Of which.
        key: FileKey,
        /// The first byte that is not.
        up_to: u64,
    },
    /// It is all there, right, and has its name.
    Finished {
        /// Which.
        key: FileKey,
        /// Where it lies.
        path: PathBuf,
    },
    /// It could not be done; nothing more of this file is done.
    Failed {
        /// Which.
        key: FileKey,
        /// Where it lies, or should.
        path: PathBuf,
        /// Why.
        why: FileFailure,
    },
}

/// Why a file cannot go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileFailure {
    /// The system said no.
    System(String),
    /// It is a directory, a device, or the like.
    NotAFile,
    /// It is not what it was when it was offered.
    Changed,
    /// What came is not what was sent.
    Damaged,
}
