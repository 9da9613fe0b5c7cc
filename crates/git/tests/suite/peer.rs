//! Git's own server for comparisons: a small HTTP server that runs `git http-backend` for each request.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
};

/// Serves the repositories below `root` at `/smart/`, as the example does; returns the URL with that path.
pub fn serve(root: &Path) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}/smart", listener.local_addr().expect("a bound port"));
    let root = root.to_owned();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let root = root.clone();
            std::thread::spawn(move || drop(answer(stream, &root)));
        }
    });
    url
}

/// Answers one request, and closes the connection.
fn answer(mut stream: TcpStream, root: &Path) -> io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines.first().map(String::as_str).unwrap_or_default().split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(()) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |name: &str| {
        let lines = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    };
    // The paths in the tests have no other escapes.
    let path = path.strip_prefix("/smart").unwrap_or(path).replace("%20", " ");
    if header("expect") == "100-continue" {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if header("transfer-encoding") == "chunked" {
        read_chunks(&mut input, &mut body)?;
    } else {
        (&mut input).take(header("content-length").parse().unwrap_or(0)).read_to_end(&mut body)?;
    }

    let mut command = Command::new("git");
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_HTTP_EXPORT_ALL", "1"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_METHOD", method),
        ("PATH_INFO", path.as_str()),
        ("QUERY_STRING", query),
        ("CONTENT_TYPE", header("content-type")),
        ("CONTENT_LENGTH", &body.len().to_string()),
    ] {
        command.env(name, value);
    }
    for (name, value) in [
        ("HTTP_CONTENT_ENCODING", header("content-encoding")),
        ("GIT_PROTOCOL", header("git-protocol")),
        ("REMOTE_USER", header("x-t-user")),
    ] {
        if !value.is_empty() {
            command.env(name, value);
        }
    }
    let command = command.arg("http-backend").env("GIT_PROJECT_ROOT", root);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut stdin = child.stdin.take().expect("a piped input");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || drop(stdin.write_all(&body)));
        child.wait_with_output()
    })?;
    stream.write_all(&http_of(&output.stdout, method == "HEAD"))
}

/// Creates an HTTP response from the output of a CGI program, which has the status among its headers.
fn http_of(printed: &[u8], is_head: bool) -> Vec<u8> {
    let end = printed.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(printed.len());
    let head = String::from_utf8_lossy(&printed[..end]).into_owned();
    let content = printed.get(end + 4..).unwrap_or_default();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let mut answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for line in head.lines().filter(|line| !line.starts_with("Status: ") && !line.starts_with("Content-Length: ")) {
        answer.push_str(line);
        answer.push_str("\r\n");
    }
    let mut answer = format!("{answer}Content-Length: {}\r\n\r\n", content.len()).into_bytes();
    answer.extend_from_slice(if is_head { b"" } else { content });
    answer
}

fn read_chunks(input: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let bytes = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        input.take(bytes).read_to_end(body)?;
        input.read_line(&mut line)?;
        if bytes == 0 {
            return Ok(());
        }
    }
}
