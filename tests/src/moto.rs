//! The server of moto, which stands in for other services of AWS.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::World;
use crate::clients::python_folder;

/// A running server of moto; it is killed when this value is dropped.
pub struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    /// Starts the server on a free port and waits until it is ready.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts the server with TLS and the PEM files of its certificate and private key.
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        Self::start_with(&["--ssl-cert", certificate, "--ssl-key", key])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let mut command = Command::new(python_folder().join("moto_server"));
        command.args(["--host", "127.0.0.1", "--port", "0"]).args(arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("scripts/clients has installed moto");
        let mut log =
            BufReader::new(child.stderr.take().expect("standard error is piped")).lines().map_while(Result::ok);
        let url = log.find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()));
        // Later log lines are read too, as moto would block on a full pipe.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, url: url.expect("moto logs its address") }
    }

    /// Creates a topic and a subscribed queue of the same name, and returns the ARN of the topic.
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

    /// Creates a rule of EventBridge's default bus for the events of CodeCommit, with a queue of the same name as its target.
    pub fn rule_with_queue(&self, world: &World, name: &str) {
        let program = format!(
            "
import boto3, json
events, sqs = (boto3.client(name, endpoint_url='{0}') for name in ('events', 'sqs'))
queue = sqs.create_queue(QueueName='{name}')['QueueUrl']
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
events.put_rule(Name='{name}', EventPattern=json.dumps({{'source': ['aws.codecommit']}}))
events.put_targets(Rule='{name}', Targets=[{{'Id': 'queue', 'Arn': arn}}])
",
            self.url
        );
        world.python(&program).ok();
    }

    /// Waits for a number of messages in a queue, and returns their bodies.
    pub fn receive(&self, world: &World, queue: &str, count: usize) -> Vec<String> {
        let program = format!(
            "
import boto3, json
sqs = boto3.client('sqs', endpoint_url='{0}')
queue = sqs.get_queue_url(QueueName='{queue}')['QueueUrl']
bodies = []
while len(bodies) < {count}:
    for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, MaxNumberOfMessages=10)['Messages']:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message['ReceiptHandle'])
        bodies.append(message['Body'])
print(json.dumps(bodies))
",
            self.url
        );
        serde_json::from_str(&world.python(&program).ok()).expect("the program prints JSON")
    }

    /// Returns the URL of the services.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
