//! Values through bytes and back, the reference's examples, and hostile bytes.

use proptest::prelude::*;

use super::*;

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn read_one(hex: &str) -> Value {
    let mut values = read_sequence(&bytes_of(hex)).unwrap();
    assert_eq!(values.len(), 1, "{hex}");
    values.remove(0)
}

fn named(name: &str, value: Value) -> Vec<(String, Value)> {
    vec![(name.to_owned(), value)]
}

#[test]
fn every_amf0_marker_reads_as_its_value() {
    assert_eq!(read_one("00 3FF0000000000000"), Value::Number(1.0));
    assert_eq!(read_one("01 01"), Value::Boolean(true));
    assert_eq!(read_one("02 0003 616263"), "abc".into());
    assert_eq!(read_one("03 0001 61 00 3FF0000000000000 0000 09"), Value::Object(named("a", 1.0.into())));
    assert_eq!(read_one("08 00000000 0001 61 01 01 0000 09"), Value::EcmaArray(named("a", true.into())));
    assert_eq!(read_one("0A 00000002 00 3FF0000000000000 05"), Value::Array(vec![1.0.into(), Value::Null]));
    assert_eq!(read_one("0B 4271A0F3C1AC0000 0000"), Value::Date(1_211_436_374_720.0));
    assert_eq!(read_one("0C 00000003 616263"), "abc".into());
    assert_eq!(read_one("0F 00000004 3C612F3E"), "<a/>".into());
    assert_eq!(read_one("10 0001 43 0001 61 05 0000 09"), Value::Object(named("a", Value::Null)));
    assert_eq!(read_one("11 04 05"), 5.0.into());
}

#[test]
fn amf3_integers_have_29_bits_and_a_sign() {
    for (hex, number) in [
        ("8100", 128.0),
        ("FFFF7F", 2_097_151.0),
        ("80C08000", 2_097_152.0),
        ("BFFFFFFF", 268_435_455.0),
        ("FFFFFFFF", -1.0),
        ("C0808000", -268_435_456.0),
    ] {
        assert_eq!(read_one(&format!("11 04 {hex}")), Value::Number(number), "{hex}");
    }
}

#[test]
fn every_amf3_marker_reads_as_its_value() {
    assert_eq!(read_one("11 05 3FE0000000000000"), 0.5.into());
    assert_eq!(read_one("11 06 07 616263"), "abc".into());
    assert_eq!(read_one("11 09 05 01 06 03 61 06 00"), Value::Array(vec!["a".into(), "a".into()]));
    assert_eq!(read_one("11 09 01 03 61 04 01 01"), Value::EcmaArray(named("a", 1.0.into())));
    assert_eq!(read_one("11 0A 0B 01 03 61 04 01 01"), Value::Object(named("a", 1.0.into())));
    assert_eq!(read_one("11 0A 13 03 43 03 61 04 01"), Value::Object(named("a", 1.0.into())));
    assert_eq!(read_one("11 0C 05 0102"), Value::Bytes(vec![1, 2]));
    assert_eq!(read_one("11 0D 03 00 00000001"), Value::Array(vec![1.0.into()]));
    assert_eq!(read_one("11 11 03 00 04 01 04 02"), Value::Object(named("1", 2.0.into())));
    assert_eq!(read_one("11 08 01 4271A0F3C1AC0000"), Value::Date(1_211_436_374_720.0));
}

#[test]
fn the_switch_to_amf3_holds_for_one_value() {
    let values = read_sequence(&bytes_of("02 0001 61 11 04 05 05")).unwrap();
    assert_eq!(values, ["a".into(), Value::Number(5.0), Value::Null]);
}

#[test]
fn a_reference_is_a_copy_and_one_into_itself_is_undefined() {
    let values = read_sequence(&bytes_of("0A 00000001 05  07 0000")).unwrap();
    assert_eq!(values[1], Value::Array(vec![Value::Null]));
    assert_eq!(read_one("0A 00000001 07 0000"), Value::Array(vec![Value::Undefined]));
    assert_eq!(read_one("07 0009"), Value::Undefined);
}

#[test]
fn references_upon_references_run_into_the_limit() {
    // Twelve arrays, each of ten references to the one before: a thousand million values.
    let mut bytes = bytes_of("0A 00000001 05");
    for level in 0..12u16 {
        bytes.extend(bytes_of("0A 0000000A"));
        for _ in 0..10 {
            bytes.push(0x07);
            bytes.extend(level.to_be_bytes());
        }
    }
    assert_eq!(read_sequence(&bytes), Err(NotAmf::TooMuch));
}

#[test]
fn a_text_repeated_by_reference_runs_into_the_limit() {
    let mut bytes = bytes_of("11 09 8F21 01");
    // 100,000 bytes, then references to them.
    bytes.extend(bytes_of("06 8C9A41"));
    bytes.extend(vec![b'x'; 100_000]);
    for _ in 0..1000 {
        bytes.extend([0x06, 0x00]);
    }
    assert_eq!(read_sequence(&bytes), Err(NotAmf::TooMuch));
}

#[test]
fn seventeen_objects_in_each_other_are_too_deep() {
    let deep = |levels: usize| {
        let mut bytes = Vec::new();
        for _ in 0..levels {
            bytes.extend(bytes_of("0A 00000001"));
        }
        bytes.push(0x05);
        read_sequence(&bytes)
    };
    assert!(deep(MOST_DEPTH).is_ok());
    assert_eq!(deep(MOST_DEPTH + 1), Err(NotAmf::TooMuch));
}

#[test]
fn a_count_larger_than_the_message_is_refused_before_anything_is_allocated() {
    assert_eq!(read_sequence(&bytes_of("0A FFFFFFFF 05")), Err(NotAmf::Truncated));
    assert_eq!(read_sequence(&bytes_of("11 0F BFFFFFFF 00")), Err(NotAmf::Truncated));
}

#[test]
fn a_property_may_have_an_empty_name() {
    let value = Value::Object(named("", 1.0.into()));
    let mut bytes = Vec::new();
    write_sequence(std::slice::from_ref(&value), &mut bytes);
    assert_eq!(read_sequence(&bytes), Ok(vec![value]));
}

#[test]
fn another_decoder_reads_what_we_write() {
    let mut bytes = Vec::new();
    let object = Value::object([("a", 1.0.into()), ("b", Value::Array(vec!["x".into(), Value::Null]))]);
    write_sequence(&[object], &mut bytes);
    let (rest, value) =
        flash_lso::amf0::read::AMF0Decoder::default().parse_single_element(&bytes).expect("readable");
    assert!(rest.is_empty());
    let flash_lso::types::Value::Object { data, .. } = value else { panic!("an object") };
    assert_eq!(data.elements[0].name, "a");
    assert_eq!(data.elements[1].name, "b");
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<f64>().prop_filter("equal to itself", |n| !n.is_nan()).prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
        ".{0,20}".prop_map(Value::String),
        Just(Value::String("long ".repeat(20_000))),
        (0.0..1e15).prop_map(Value::Date),
        proptest::collection::vec(any::<u8>(), 0..20_000).prop_map(Value::Bytes),
        Just(Value::Null),
        Just(Value::Undefined),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(("[a-z]{1,8}", inner.clone()), 0..6).prop_map(Value::Object),
            proptest::collection::vec(("[a-z]{1,8}", inner.clone()), 0..6).prop_map(Value::EcmaArray),
            proptest::collection::vec(inner, 0..6).prop_map(Value::Array),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn values_read_back_as_they_were_written(values in proptest::collection::vec(any_value(), 0..4)) {
        let mut bytes = Vec::new();
        write_sequence(&values, &mut bytes);
        prop_assume!(bytes.len() < MOST_BYTES / 2);
        prop_assert_eq!(read_sequence(&bytes), Ok(values));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(prop_oneof![0u8..0x12, any::<u8>()], 0..200)) {
        let _ = read_sequence(&bytes);
    }

    #[test]
    fn every_beginning_of_a_value_is_read_or_refused(value in any_value(), cut in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        write_sequence(&[value], &mut bytes);
        let _ = read_sequence(&bytes[..cut.index(bytes.len())]);
    }
}
