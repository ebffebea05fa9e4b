//! `tincan id`: this computer's peer ID; and the identity saved into a file, or brought here from one.

use std::path::Path;

use anyhow::Context;
use tincan::rtmfp::crypto::flash::Identity;
use tincan::settings::{self, identity};

use super::flags::IdFlags;

/// Prints it. At the first time, makes the key it belongs to.
pub(crate) fn run(flags: IdFlags) -> anyhow::Result<()> {
    let dir = settings::data_dir(flags.data_dir.clone())?;
    #[cfg(feature = "media")]
    back_up::before(&dir, &flags)?;
    let identity = own_identity(&dir)?;
    println!("{}", identity.peer_id());
    Ok(())
}

fn own_identity(dir: &Path) -> anyhow::Result<Identity> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("this system gives no randomness to make a key from")?;
    let key = identity::load_or_create(dir, || Identity::generate(seed).to_secret_bytes())?;
    Ok(Identity::from_secret_bytes(&key).map_err(|_| identity::unusable(dir))?)
}

#[cfg(feature = "media")]
mod back_up {
    use std::path::Path;

    use anyhow::{Context as _, bail};
    use tincan::call::back_up::{BackUp, finish_restore};
    use tincan::call::command::Passphrase;
    use tincan::history::store::Store;
    use tincan::settings;
    use tincan::settings::instance::{Claim, Instance};

    use crate::cli::flags::IdFlags;

    /// Shorter ones are guessed.
    const SHORTEST: usize = 8;

    /// Saves or restores, when that was asked for. Both need the data directory for themselves.
    pub(super) fn before(dir: &Path, flags: &IdFlags) -> anyhow::Result<()> {
        let (Some(path), saves) =
            (flags.back_up.as_ref().or(flags.restore.as_ref()), flags.back_up.is_some())
        else {
            return Ok(());
        };
        let Claim::First(_instance) = Instance::claim(dir)? else {
            bail!("Tincan is running; close it first, or use its settings.");
        };
        let passphrase = passphrase()?;
        finish_restore(dir).context("an earlier restore could not be finished")?;
        if saves {
            super::own_identity(dir)?;
            let contacts =
                Store::open(dir).and_then(|store| store.contacts()).context("the contacts cannot be read")?;
            let back_up = BackUp::of(dir, &settings::load(dir).settings, &contacts)?;
            back_up.write(path, &passphrase).with_context(|| format!("{} cannot be written", path.display()))
        } else {
            let back_up = BackUp::read(path, &passphrase)
                .with_context(|| format!("{} cannot be used", path.display()))?;
            back_up.lay_ready(dir)?;
            finish_restore(dir)?;
            Ok(())
        }
    }

    fn passphrase() -> anyhow::Result<Passphrase> {
        let mut line = zeroize::Zeroizing::new(String::with_capacity(1_024));
        std::io::stdin().read_line(&mut line).context("no passphrase on standard input")?;
        let length = line.trim_end_matches(['\r', '\n']).len();
        line.truncate(length);
        if line.chars().count() < SHORTEST {
            bail!("The passphrase needs at least {SHORTEST} characters; give it on standard input.");
        }
        Ok(Passphrase(line))
    }
}
