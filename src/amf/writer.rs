//! Writing AMF0.

use super::Value;

/// Appends one value.
pub(super) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            out.push(0x00);
            out.extend(number.to_be_bytes());
        }
        Value::Boolean(truth) => out.extend([0x01, u8::from(*truth)]),
        Value::String(text) => write_text(text, out),
        Value::Object(properties) => {
            out.push(0x03);
            write_properties(properties, out);
        }
        Value::EcmaArray(properties) => {
            out.push(0x08);
            out.extend(count(properties.len()).to_be_bytes());
            write_properties(properties, out);
        }
        Value::Array(values) => {
            out.push(0x0a);
            out.extend(count(values.len()).to_be_bytes());
            for value in values {
                write(value, out);
            }
        }
        Value::Date(milliseconds) => {
            out.push(0x0b);
            out.extend(milliseconds.to_be_bytes());
            out.extend([0, 0]);
        }
        Value::Bytes(bytes) => write_bytes(bytes, out),
        Value::Null => out.push(0x05),
        Value::Undefined => out.push(0x06),
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    if let Ok(length) = u16::try_from(text.len()) {
        out.push(0x02);
        out.extend(length.to_be_bytes());
    } else {
        out.push(0x0c);
        out.extend(count(text.len()).to_be_bytes());
    }
    out.extend(text.as_bytes());
}

fn write_properties(properties: &[(String, Value)], out: &mut Vec<u8>) {
    for (name, value) in properties {
        write_name(name, out);
        write(value, out);
    }
    out.extend([0x00, 0x00, 0x09]);
}

/// A property's name has no long form.
fn write_name(name: &str, out: &mut Vec<u8>) {
    let fits = name.floor_char_boundary(usize::from(u16::MAX));
    let name = &name[..fits];
    out.extend(u16::try_from(name.len()).expect("cut to 65,535 bytes").to_be_bytes());
    out.extend(name.as_bytes());
}

/// AMF0 has no byte array: the marker 11 switches to AMF3 for this one value, where 0C is one.
fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    const LONGEST: usize = (1 << 28) - 1;
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    out.extend([0x11, 0x0c]);
    let number = count(bytes.len()) << 1 | 1;
    let low = |shift: u32| (number >> shift & 0x7f) as u8;
    match number {
        0..0x80 => out.push(low(0)),
        0x80..0x4000 => out.extend([low(7) | 0x80, low(0)]),
        0x4000..0x20_0000 => out.extend([low(14) | 0x80, low(7) | 0x80, low(0)]),
        _ => out.extend([low(22) | 0x80, low(15) | 0x80, low(8) | 0x80, (number & 0xff) as u8]),
    }
    out.extend(bytes);
}

/// Lengths beyond 32 bits cannot come about: a message is far shorter.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
