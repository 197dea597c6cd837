#!/bin/sh
# Makes the buckets, the services' access keys with what each may do, and the notification. Repeating it changes nothing.
set -eu
root=$(sed -n 's/^MINIO_ROOT_PASSWORD=//p' /run/secrets/s3.env)
export MC_CONFIG_DIR=/tmp/mc MC_HOST_s3="http://root:$root@s3:9000"

for bucket in unsigned signed; do
    mc mb --ignore-existing "s3/$bucket"
    mc version enable "s3/$bucket"
done
for service in signer deployer uploader; do
    mc admin policy create s3 "$service" "/policies/$service.json"
    mc admin user add s3 "countersign-$service" "$(cat "/run/secrets/s3-$service")"
    mc admin policy attach s3 "$service" --user "countersign-$service" 2>/dev/null ||
        mc admin user info s3 "countersign-$service" | grep -q "$service"
done
mc event add --ignore-existing --event put s3/unsigned arn:minio:sqs::COUNTERSIGN:amqp
