#![no_main]

// The program's own reading of H.264, without the codecs around it.
#[allow(dead_code)]
#[path = "../../../src/media/codec/avc_format.rs"]
mod avc_format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tincan::netconnection::fuzzing::amf(bytes);
    let units: usize = avc_format::prefixed_units(bytes).iter().map(|unit| unit.len()).sum();
    assert!(units <= bytes.len());
    let units: usize = avc_format::annex_b_units(bytes).iter().map(|unit| unit.len()).sum();
    assert!(units <= bytes.len());
    if let Some(sets) = avc_format::parameter_sets(bytes) {
        assert!(sets.iter().map(|set| set.len()).sum::<usize>() <= bytes.len());
    }
});
