"""Makes what Countersign needs in LocalStack: two versioned buckets, a queue with dead letters, and the notification between.

LocalStack's container runs it once it is ready (/etc/localstack/init/ready.d); elsewhere AWS_ENDPOINT_URL says where to go.
Made twice, everything stays as it is.
"""

import json
import os

import boto3

REGION = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
ENDPOINT = os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
# A notification that the signer could not settle five times is put aside; 90 s is longer than a package takes.
RECEIVES, VISIBILITY = 5, 90


def client(service):
    return boto3.client(
        service, endpoint_url=ENDPOINT, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


def versioned_bucket(s3, name):
    place = {} if REGION == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    try:
        s3.create_bucket(Bucket=name, **place)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def queue(sqs, name, **attributes):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    if attributes:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def main():
    s3, sqs = client("s3"), client("sqs")
    for bucket in "unsigned", "signed":
        versioned_bucket(s3, bucket)
    dead_letters = queue(sqs, "countersign-dead-letters")
    redrive = json.dumps({"deadLetterTargetArn": dead_letters, "maxReceiveCount": str(RECEIVES)})
    drops = queue(sqs, "countersign", RedrivePolicy=redrive, VisibilityTimeout=str(VISIBILITY))
    s3.put_bucket_notification_configuration(
        Bucket="unsigned",
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": drops, "Events": ["s3:ObjectCreated:*"]}]},
    )
    print("countersign: buckets unsigned and signed, queues countersign and countersign-dead-letters")


main()
