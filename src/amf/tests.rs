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
    assert_eq!(read_one("11 0E 03 00 FFFFFFFF"), Value::Array(vec![4_294_967_295.0.into()]));
    assert_eq!(read_one("11 0F 03 00 3FE0000000000000"), Value::Array(vec![0.5.into()]));
    assert_eq!(read_one("11 10 03 00 01 0A 0B 01 01"), Value::Array(vec![Value::Object(vec![])]));
    assert_eq!(read_one("11 07 09 3C612F3E"), "<a/>".into());
    assert_eq!(read_one("11 0B 09 3C612F3E"), "<a/>".into());
    assert_eq!(read_one("11 00"), Value::Undefined);
    assert_eq!(read_one("11 01"), Value::Null);
    assert_eq!(read_one("11 02"), false.into());
    assert_eq!(read_one("11 03"), true.into());
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
fn every_value_is_written_as_flash_writes_it() {
    let written = |values: &[Value]| {
        let mut bytes = vec![0xee];
        write_sequence(values, &mut bytes);
        assert_eq!(bytes.remove(0), 0xee, "what was there stays");
        bytes
    };
    let one = |value: Value| written(&[value]);
    assert_eq!(written(&[]), [0_u8; 0]);
    assert_eq!(one(1.0.into()), bytes_of("00 3FF0000000000000"));
    assert_eq!(one(true.into()), bytes_of("01 01"));
    assert_eq!(one("abc".into()), bytes_of("02 0003 616263"));
    assert_eq!(one(Value::object([("a", Value::Null)])), bytes_of("03 0001 61 05 0000 09"));
    assert_eq!(one(Value::Null), bytes_of("05"));
    assert_eq!(one(Value::Undefined), bytes_of("06"));
    assert_eq!(one(Value::EcmaArray(named("a", Value::Null))), bytes_of("08 00000001 0001 61 05 0000 09"));
    assert_eq!(one(Value::Array(vec![Value::Null])), bytes_of("0A 00000001 05"));
    assert_eq!(one(Value::Date(1_211_436_374_720.0)), bytes_of("0B 4271A0F3C1AC0000 0000"));
    assert_eq!(one(Value::Bytes(vec![1, 2])), bytes_of("11 0C 05 0102"));
    assert_eq!(
        written(&["a".into(), 0.0.into(), Value::Null]),
        bytes_of("02 0001 61 00 0000000000000000 05")
    );
}

#[test]
fn lengths_are_written_in_the_shortest_form_that_holds_them() {
    let head_of = |value: Value, length: usize| {
        let mut bytes = Vec::new();
        write_sequence(&[value], &mut bytes);
        bytes.truncate(bytes.len() - length);
        bytes
    };
    for (length, head) in [(65_535, "02 FFFF"), (65_536, "0C 00010000")] {
        assert_eq!(head_of(Value::String("x".repeat(length)), length), bytes_of(head), "{length}");
    }
    for (length, head) in [
        (63, "7F"),
        (64, "8101"),
        (8191, "FF7F"),
        (8192, "818001"),
        (1_048_575, "FFFF7F"),
        (1_048_576, "80C08001"),
    ] {
        let head = format!("11 0C {head}");
        assert_eq!(head_of(Value::Bytes(vec![0; length]), length), bytes_of(&head), "{length}");
    }
}

#[test]
fn a_property_name_too_long_for_the_format_is_cut() {
    let mut bytes = Vec::new();
    write_sequence(&[Value::Object(named(&"é".repeat(40_000), Value::Null))], &mut bytes);
    assert_eq!(read_sequence(&bytes), Ok(vec![Value::Object(named(&"é".repeat(32_767), Value::Null))]));
}

#[test]
fn what_a_writer_could_not_write_is_undefined_and_reserved_markers_are_refused() {
    assert_eq!(read_one("0D"), Value::Undefined);
    for hex in ["04", "09", "0E", "12", "FF", "11 12", "11 FF"] {
        assert_eq!(read_sequence(&bytes_of(hex)), Err(NotAmf::UnknownMarker), "{hex}");
    }
}

#[test]
fn an_end_mark_after_a_name_is_no_end() {
    assert_eq!(read_sequence(&bytes_of("03 0001 61 09")), Err(NotAmf::UnknownMarker));
}

#[test]
fn bytes_that_are_no_text_become_question_marks() {
    assert_eq!(read_one("02 0003 61FF62"), "a?b".into());
    assert_eq!(read_one("0C 00000004 61E28262"), "a??b".into());
    assert_eq!(read_one("03 0001 80 02 0001 80 0000 09"), Value::Object(named("?", "?".into())));
    assert_eq!(read_one("11 09 05 01 06 03 80 06 00"), Value::Array(vec!["?".into(), "?".into()]));
    assert_eq!(read_one("11 0C 03 80"), Value::Bytes(vec![0x80]));
}

#[test]
fn amf3_references_count_every_composite_value_through_the_whole_message() {
    let values = read_sequence(&bytes_of(
        "11 09 07 01  08 01 0000000000000000  0C 03 01  0D 03 00 00000007  11 08 02  11 0C 04  11 0D 06  11 10 02",
    ))
    .unwrap();
    let (date, bytes, vector) = (Value::Date(0.0), Value::Bytes(vec![1]), Value::Array(vec![7.0.into()]));
    assert_eq!(values[0], Value::Array(vec![date.clone(), bytes.clone(), vector.clone()]));
    assert_eq!(values[1..], [date.clone(), bytes, vector, date]);
}

#[test]
fn an_amf3_reference_into_itself_or_to_nothing_is_undefined() {
    assert_eq!(read_one("11 09 03 01 09 00"), Value::Array(vec![Value::Undefined]));
    assert_eq!(read_one("11 0A 10"), Value::Undefined);
}

#[test]
fn an_amf3_text_or_class_that_was_never_written_is_refused() {
    for hex in ["11 06 00", "11 0A 01", "11 0A 0B 02 01", "11 06 FFFFFFFE", "11 09 FFFFFFFE"] {
        assert_eq!(read_sequence(&bytes_of(hex)), Err(NotAmf::Dangling), "{hex}");
    }
    assert_eq!(read_sequence(&bytes_of("11 06 FFFFFFFF")), Err(NotAmf::TooMuch));
}

#[test]
fn a_class_holds_for_the_objects_after_it() {
    let values = read_sequence(&bytes_of("11 0A 13 03 43 03 61 04 01  11 0A 01 04 02")).unwrap();
    assert_eq!(values, [Value::Object(named("a", 1.0.into())), Value::Object(named("a", 2.0.into()))]);
}

#[test]
fn a_long_class_name_counts_for_every_object_of_it() {
    let mut bytes = bytes_of("11 09 81 49 01  0A 03 8C9A41");
    bytes.extend(vec![b'x'; 100_000]);
    for _ in 1..100 {
        bytes.extend([0x0a, 0x01]);
    }
    assert_eq!(read_sequence(&bytes), Err(NotAmf::TooMuch));
}

#[test]
fn an_externalizable_object_is_refused() {
    assert_eq!(read_sequence(&bytes_of("11 0A 07 03 43 00")), Err(NotAmf::UnknownMarker));
}

#[test]
fn a_message_of_nothing_but_beginnings_does_not_reach_the_end_of_the_stack() {
    let levels = |head: &str| bytes_of(head).repeat(100_000);
    assert_eq!(read_sequence(&levels("0A 00000001")), Err(NotAmf::TooMuch));
    assert_eq!(read_sequence(&levels("03 0000")), Err(NotAmf::TooMuch));
    let mut amf3 = vec![0x11];
    amf3.extend(levels("09 03 01"));
    assert_eq!(read_sequence(&amf3), Err(NotAmf::TooMuch));
}

#[test]
fn as_many_values_as_a_message_may_hold_are_read_and_one_more_is_not() {
    let mut bytes = bytes_of("03 0000 09").repeat(MOST_ELEMENTS);
    assert_eq!(read_sequence(&bytes).map(|values| values.len()), Ok(MOST_ELEMENTS));
    bytes.push(0x05);
    assert_eq!(read_sequence(&bytes), Err(NotAmf::TooMuch));
    assert_eq!(read_sequence(&vec![0x05; MOST_BYTES + 1]), Err(NotAmf::TooMuch));
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

/// Valid values of every kind, to be put together and damaged.
const PARTS: [&str; 24] = [
    "00 3FF0000000000000",
    "01 01",
    "02 0003 616263",
    "03 0001 61 11 04 05 0001 62 05 0000 09",
    "03 0000 0A 00000002 07 0000 06 0000 09",
    "07 0001",
    "08 00000001 0001 61 0D 0000 09",
    "0A 00000002 03 0000 09 05",
    "0B 4271A0F3C1AC0000 0000",
    "0C 00000003 616263",
    "0F 00000004 3C612F3E",
    "10 0001 43 0001 61 05 0000 09",
    "11 06 07 616263",
    "11 06 00",
    "11 09 05 01 06 03 61 09 00",
    "11 09 03 03 61 04 01 01 11 02",
    "11 0A 23 03 43 03 61 03 62 04 01 03",
    "11 0A 1B 01 03 63 0A 02 03 64 05 3FE0000000000000 01",
    "11 0A 01 04 02 08 01 4271A0F3C1AC0000",
    "11 0C 05 0102",
    "11 0D 05 00 00000001 FFFFFFFF",
    "11 0F 03 00 3FE0000000000000",
    "11 10 05 00 03 43 01 0B 03 78",
    "11 11 03 00 04 01 09 01 01",
];

fn damaged_message() -> impl Strategy<Value = Vec<u8>> {
    let parts = proptest::collection::vec(prop::sample::select(&PARTS[..]), 1..8);
    let damage = (any::<prop::sample::Index>(), prop_oneof![0u8..0x12, any::<u8>()], 0..3u8);
    (parts, proptest::collection::vec(damage, 0..4)).prop_map(|(parts, damage)| {
        let mut bytes = bytes_of(&parts.concat());
        for (place, byte, kind) in damage {
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => bytes[place] ^= 1,
            }
        }
        bytes
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

    #[test]
    fn what_passes_the_scan_is_read_to_its_end(bytes in damaged_message()) {
        let read = read_sequence(&bytes);
        match scan::scan(&bytes) {
            // Only following references can still be too much.
            Ok(_) => prop_assert!(matches!(read, Ok(_) | Err(NotAmf::TooMuch)), "{read:?} of {bytes:02x?}"),
            Err(why) => prop_assert_eq!(read, Err(why)),
        }
    }

    #[test]
    fn what_was_read_can_be_written_and_read_again(bytes in damaged_message()) {
        let Ok(values) = read_sequence(&bytes) else { return Ok(()) };
        let mut written = Vec::new();
        write_sequence(&values, &mut written);
        // By its text, since a number may be unequal to itself.
        prop_assert_eq!(format!("{:?}", read_sequence(&written)), format!("{:?}", Ok::<_, NotAmf>(values)));
    }
}
