//! `tincan id`: this computer's peer ID.

use anyhow::Context;
use tincan::rtmfp::crypto::flash::Identity;
use tincan::settings::{self, identity};

use super::flags::IdFlags;

/// Prints it. At the first time, makes the key it belongs to.
pub(crate) fn run(flags: IdFlags) -> anyhow::Result<()> {
    let dir = settings::data_dir(flags.data_dir)?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("this system gives no randomness to make a key from")?;
    let key = identity::load_or_create(&dir, || Identity::generate(seed).to_secret_bytes())?;
    let identity = Identity::from_secret_bytes(&key).map_err(|_| identity::unusable(&dir))?;
    println!("{}", identity.peer_id());
    Ok(())
}
