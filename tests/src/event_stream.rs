//! A client of server-sent events.

use std::io::{BufRead, BufReader};

use serde_json::Value;
use ureq::{Agent, BodyReader};

/// An open stream of events.
pub struct EventStream {
    lines: BufReader<BodyReader<'static>>,
    last_id: String,
}

impl EventStream {
    /// Opens a stream of the feed with the given query; `last_id` is what a browser sends after a lost connection.
    pub fn open(endpoint: &str, query: &str, last_id: Option<&str>) -> Self {
        let agent: Agent = Agent::config_builder().build().into();
        let mut request = agent.get(format!("{endpoint}/_local/events?{query}")).header("accept", "text/event-stream");
        if let Some(last_id) = last_id {
            request = request.header("last-event-id", last_id);
        }
        let reply = request.call().expect("the server opens the stream");
        assert_eq!(reply.headers()["content-type"], "text/event-stream");
        let lines = BufReader::new(reply.into_body().into_reader());
        Self { lines, last_id: last_id.unwrap_or_default().to_owned() }
    }

    /// Returns the record of the next event; `None` at the end of the stream.
    pub fn next_record(&mut self) -> Option<Value> {
        let mut data = None;
        loop {
            let line = self.next_line()?;
            if let Some(id) = line.strip_prefix("id: ") {
                id.clone_into(&mut self.last_id);
            } else if let Some(record) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(record).expect("the data of an event is a record"));
            } else if line.is_empty() && data.is_some() {
                return data;
            }
        }
    }

    /// Waits until the stream has all records so far.
    pub fn catch_up(&mut self) {
        while !self.next_line().expect("the stream is open").starts_with("id: ") {}
    }

    /// Returns the id of the last event.
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    fn next_line(&mut self) -> Option<String> {
        let mut line = String::new();
        // A connection that is closed in the middle of the stream is its end, too.
        let count = self.lines.read_line(&mut line).unwrap_or(0);
        (count > 0).then(|| line.trim_end_matches('\n').to_owned())
    }
}
