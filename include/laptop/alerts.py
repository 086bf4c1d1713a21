"""The alerts' topic on a laptop, and a queue that keeps what was sent to it."""

import json
import os

import boto3


def create_alert_topic() -> str:
    """Create the topic that the settings name, and a queue of the same name that subscribes to it.

    Returns:
        The queue's URL.
    """
    name = os.environ["AIRFLOW__REDSHIFT_ETL__SNS_TOPIC_ARN"].rsplit(":", 1)[1]
    sns, sqs = boto3.client("sns"), boto3.client("sqs")  # untyped: the stubs of these two are not installed
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
    return queue


def take_alerts(queue: str) -> list[dict[str, str]]:
    """Take what has arrived since the last time.

    Args:
        queue: What `create_alert_topic` returned.

    Returns:
        Event, subject and text of each alert, in no particular order.
    """
    sqs = boto3.client("sqs")
    alerts = []
    for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        body = json.loads(message["Body"])
        event = body["MessageAttributes"]["event"]["Value"]
        alerts.append({"event": event, "subject": body["Subject"], "text": body["Message"]})
    return alerts
