//! Several packets encrypted at once (RFC 7425 §4.7): each a cipher block chain of its own, side by side.
//!
//! Every block of a chain waits for the one before, so a single chain leaves the processor's AES units idle most of the
//! time. The chains of a batch do not wait for one another: taken a block of each in turn, they fill the units.

use aes::cipher::consts::U16;
use aes::cipher::typenum::Unsigned;
use aes::cipher::{
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, ParBlocks,
};
use aes::{Aes128Enc, Block};

/// Chains that are encrypted side by side; more are taken in groups of so many.
pub(super) const SIDE_BY_SIDE: usize = 64;

/// Encrypts each of `chains` in place, with a zero initialization vector.
pub(super) fn encrypt(cipher: &Aes128Enc, chains: &mut [&mut [Block]]) {
    cipher.encrypt_with_backend(Chains { chains });
}

struct Chains<'a, 'b> {
    chains: &'a mut [&'b mut [Block]],
}

impl BlockSizeUser for Chains<'_, '_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Chains<'_, '_> {
    // Inlined, as everything below, into a function that may use the instructions the backend needs.
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let width = B::ParBlocksSize::USIZE;
        for group in self.chains.chunks_mut(width.clamp(NARROW, SIDE_BY_SIDE)) {
            if group.len() > width / 2 && width > 1 {
                encrypt_wide(backend, group);
            } else {
                group.chunks_mut(NARROW).for_each(|few| encrypt_narrow(backend, few));
            }
        }
    }
}

/// A block of each chain with one call of the backend, which pays as soon as most of its lanes are used.
#[inline(always)]
fn encrypt_wide<B: BlockCipherEncBackend<BlockSize = U16>>(backend: &B, chains: &mut [&mut [Block]]) {
    let mut states = ParBlocks::<B>::default();
    for index in 0..longest(chains) {
        for (state, chain) in states.iter_mut().zip(chains.iter()) {
            if let Some(block) = chain.get(index) {
                mix(state, block);
            }
        }
        backend.encrypt_par_blocks_inplace(&mut states);
        for (state, chain) in states.iter().zip(chains.iter_mut()) {
            if let Some(block) = chain.get_mut(index) {
                *block = *state;
            }
        }
    }
}

/// A few chains, block by block: the processor sees by itself that they do not wait for one another.
#[inline(always)]
fn encrypt_narrow<B: BlockCipherEncBackend<BlockSize = U16>>(backend: &B, chains: &mut [&mut [Block]]) {
    let mut states = [Block::default(); NARROW];
    for index in 0..longest(chains) {
        for (state, chain) in states.iter_mut().zip(chains.iter_mut()) {
            if let Some(block) = chain.get_mut(index) {
                mix(state, block);
                backend.encrypt_block_inplace(state);
                *block = *state;
            }
        }
    }
}

#[inline(always)]
fn mix(state: &mut Block, block: &Block) {
    let mixed = u128::from_ne_bytes((*state).into()) ^ u128::from_ne_bytes((*block).into());
    *state = mixed.to_ne_bytes().into();
}

fn longest(chains: &[&mut [Block]]) -> usize {
    chains.iter().map(|chain| chain.len()).max().unwrap_or(0)
}

/// Chains whose blocks the processor works on at the same time.
const NARROW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use aes::cipher::{BlockModeEncrypt, InnerIvInit, KeyInit};

    #[test]
    fn chains_side_by_side_are_what_each_is_alone() {
        let cipher = Aes128Enc::new(&[7; 16].into());
        for count in [0, 1, 2, 7, 8, 9, 31, 33, 63, 64, 65, 130] {
            // Of unequal lengths, some empty.
            let plain: Vec<Vec<Block>> = (0..count)
                .map(|chain| {
                    (0..(chain * 5) % 13).map(|block| [(chain * 16 + block) as u8; 16].into()).collect()
                })
                .collect();
            let mut together = plain.clone();
            let mut chains: Vec<&mut [Block]> = together.iter_mut().map(Vec::as_mut_slice).collect();
            encrypt(&cipher, &mut chains);
            for (plain, encrypted) in plain.into_iter().zip(together) {
                let mut alone = plain;
                cbc::Encryptor::inner_iv_init(&cipher, &Block::default()).encrypt_blocks(&mut alone);
                assert_eq!(alone, encrypted);
            }
        }
    }
}
