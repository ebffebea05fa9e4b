//! Reading and writing the values that commands carry.

use tincan::amf::{Value, read_sequence, write_sequence};

use super::{Bench, best};

pub(crate) fn run(bench: &Bench) {
    let values = people(200);
    let mut bytes = Vec::new();
    write_sequence(&values, &mut bytes);
    let megabytes = bytes.len() as f64 / 1e6;
    if bench.wants("amf_read") {
        let time = best(200, || read_sequence(&bytes).expect("what we wrote"));
        bench.tell("amf_read", megabytes / time.as_secs_f64(), "MB/s");
    }
    if bench.wants("amf_write") {
        let mut out = Vec::with_capacity(bytes.len());
        let time = best(200, || {
            out.clear();
            write_sequence(&values, &mut out);
        });
        bench.tell("amf_write", megabytes / time.as_secs_f64(), "MB/s");
    }
}

/// A server's answer to who is there: the largest message that a client reads as a rule.
fn people(count: usize) -> Vec<Value> {
    let person = |number: usize| {
        Value::object([
            ("id", Value::from(format!("{number:064x}").as_str())),
            ("name", Value::from(format!("Person number {number}").as_str())),
        ])
    };
    let listed = Value::Array((0..count).map(person).collect());
    vec![Value::from("_result"), Value::from(2.0), Value::Null, listed]
}
