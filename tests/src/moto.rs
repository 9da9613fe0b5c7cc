//! moto's server, which stands in for the other services of AWS.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::World;
use crate::clients::python_folder;

/// moto, running; it is killed when the test is done with it.
pub struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    /// Starts it on a free port, and waits until it is ready.
    pub fn start() -> Self {
        let mut command = Command::new(python_folder().join("moto_server"));
        command.args(["--host", "127.0.0.1", "--port", "0"]).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("scripts/clients installs what the tests need");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
        let url = log.find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()));
        // What it says later is read too, or it would wait for that.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, url: url.expect("it says where it listens") }
    }

    /// Makes a topic and a queue of the same name that is subscribed to it, and returns the topic's ARN.
    pub fn topic_with_queue(&self, world: &World, name: &str) -> String {
        let program = format!(
            "
import boto3
sns, sqs = (boto3.client(name, endpoint_url='{0}') for name in ('sns', 'sqs'))
topic = sns.create_topic(Name='{name}')['TopicArn']
queue = sqs.create_queue(QueueName='{name}')['QueueUrl']
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn)
print(topic)
",
            self.url
        );
        world.python(&program).ok()
    }

    /// The URL of all of its services.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
