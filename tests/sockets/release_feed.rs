//! One request for the newest version, to a server on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tincan::driver::release_feed::{Question, ask};

/// A server that answers once with these bytes, and what it was asked. Without bytes it only listens.
fn server(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/latest", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut byte = [0];
        while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
            asked.push(byte[0]);
        }
        if answer.is_empty() {
            // Until the other end has had enough.
            let _ = stream.read(&mut byte);
        }
        let _ = stream.write_all(answer.as_bytes());
        String::from_utf8(asked).unwrap()
    });
    (url, thread)
}

fn question(url: String) -> Question {
    Question { url, https_only: false, most: 64, within: Duration::from_secs(20) }
}

#[tokio::test]
async fn an_answer_comes_whole_and_the_question_tells_only_the_programs_name() {
    let (url, server) = server("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{\"tag_name\":\"v9.9.9\"}");
    assert_eq!(ask(question(url)).await.unwrap(), b"{\"tag_name\":\"v9.9.9\"}");
    let asked = server.join().unwrap().to_lowercase();
    let mut names: Vec<_> = asked.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    assert!(asked.contains("user-agent: tincan\r\n"), "{asked}");
    assert!(names.iter().all(|name| ["accept", "host", "user-agent"].contains(name)), "{asked}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_none() {
    let (url, server) = server(
        "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n\
         xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    );
    assert!(ask(question(url)).await.is_err());
    server.join().unwrap();
}

#[tokio::test]
async fn a_refusal_is_no_answer() {
    let (url, server) = server("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    assert!(ask(question(url)).await.is_err());
    server.join().unwrap();
}

#[tokio::test]
async fn what_is_not_sealed_is_not_asked() {
    let question = Question { https_only: true, ..question("http://127.0.0.1:9/latest".to_owned()) };
    let error = ask(question).await.unwrap_err();
    assert!(error.to_string().contains("https"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let (url, server) = server("");
    let question = Question { within: Duration::from_millis(200), ..question(url) };
    assert!(ask(question).await.is_err());
    server.join().unwrap();
}
