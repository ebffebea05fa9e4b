//! Writing AMF0 through the library.
//!
//! What the library writes in public is files and packets, not bare values. A packet of one message without an address that
//! holds one strict array is the values back to back, after a head of known length.

use flash_lso::packet::write::write_to_bytes;
use flash_lso::packet::{Message, Packet};
use flash_lso::types::{AMFVersion, ECMAArrayObjectValue, Element, ObjectId, ObjectValue, Value as Written};

use super::Value;

/// The packet: version, no headers, one message, two empty addresses, a length left open. The array: marker and count.
const HEAD: usize = 2 + 2 + 2 + 2 + 2 + 4 + 1 + 4;

/// A byte array's length has 28 bits.
const LONGEST_BYTES: usize = (1 << 28) - 1;

/// Appends values back to back.
pub(super) fn write(values: &[Value], out: &mut Vec<u8>) {
    let message =
        Message { target_uri: String::new(), response_uri: String::new(), contents: strict_array(values) };
    let packet = Packet { version: AMFVersion::AMF0, headers: Vec::new(), messages: vec![message] };
    let bytes =
        write_to_bytes(&packet, false).expect("one message fits a packet, and memory takes all bytes");
    out.extend_from_slice(&bytes[HEAD..]);
}

fn strict_array(values: &[Value]) -> Written {
    Written::StrictArray { id: ObjectId::INVALID, values: values.iter().map(written).collect() }
}

fn written(value: &Value) -> Written {
    let id = ObjectId::INVALID;
    match value {
        Value::Number(number) => Written::Number(*number),
        Value::Boolean(truth) => Written::Bool(*truth),
        // Beyond 65,535 bytes this becomes a long string.
        Value::String(text) => Written::String(text.clone()),
        Value::Object(properties) => Written::Object {
            id,
            data: ObjectValue { elements: elements(properties), class_definition: None },
        },
        Value::EcmaArray(properties) => {
            // Lengths beyond 32 bits cannot come about: a message is far shorter.
            let length = u32::try_from(properties.len()).unwrap_or(u32::MAX);
            let data = ECMAArrayObjectValue { dense: Vec::new(), elements: elements(properties), length };
            Written::ECMAArray { id, data }
        }
        Value::Array(values) => strict_array(values),
        Value::Date(milliseconds) => Written::Date { time: *milliseconds, timezone_or_utc: None },
        // AMF0 has no byte array: the marker 11 switches to AMF3 for this one value, where 0C is one.
        Value::Bytes(bytes) => {
            let bytes = &bytes[..bytes.len().min(LONGEST_BYTES)];
            Written::AMF3(Box::new(Written::ByteArray(bytes.to_vec())))
        }
        Value::Null => Written::Null,
        Value::Undefined => Written::Undefined,
    }
}

fn elements(properties: &[(String, Value)]) -> Vec<Element> {
    properties
        .iter()
        .map(|(name, value)| {
            // A property's name has no long form, and the library would write a wrong length.
            let fits = name.floor_char_boundary(usize::from(u16::MAX));
            Element::new(&name[..fits], written(value))
        })
        .collect()
}
