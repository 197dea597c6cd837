#!/bin/sh
# Makes the buckets, the services' access keys with what each may do, and the notification. Repeating it changes nothing. The image
# has a shell, mc and the core utilities, and neither sed nor grep.
set -eu
root=
while IFS='=' read -r name value; do
    [ "$name" != MINIO_ROOT_PASSWORD ] || root=$value
done </run/secrets/s3.env
export MC_CONFIG_DIR=/tmp/mc MC_HOST_s3="http://root:$root@s3:9000"

for bucket in unsigned signed; do
    mc mb --ignore-existing "s3/$bucket"
    mc version enable "s3/$bucket"
done
for service in signer deployer uploader; do
    mc admin policy create s3 "$service" "/policies/$service.json"
    mc admin user add s3 "countersign-$service" "$(cat "/run/secrets/s3-$service")"
    attached=$(mc admin policy attach s3 "$service" --user "countersign-$service" 2>&1) || case $attached in
    *"already in effect"*) ;;
    *) echo "$attached" >&2; exit 1 ;;
    esac
done
mc event add --ignore-existing --event put s3/unsigned arn:minio:sqs::COUNTERSIGN:amqp
