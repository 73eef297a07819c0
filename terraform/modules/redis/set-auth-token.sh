#!/bin/sh
# Gives Redis the password that Secrets Manager holds. GROUP: replication group; SECRET: its URL's ARN.
# A first password ends access without one; a later one is added, and the one before works until the next.
set -eu

command -v aws >/dev/null || {
    echo "The password of Redis is set with the AWS command line, and aws is not in PATH:" \
        "install it, then apply again." >&2
    exit 1
}

url=$(aws secretsmanager get-secret-value --secret-id "$SECRET" --query SecretString --output text)
token=${url#rediss://:}
token=${token%@*}
protected=$(aws elasticache describe-replication-groups --replication-group-id "$GROUP" \
    --query 'ReplicationGroups[0].AuthTokenEnabled' --output text)

request=$(mktemp)
trap 'rm -f "$request"' EXIT
chmod 600 "$request"

# By a file: whoever lists processes can read their arguments.
modify() {
    printf '{"ReplicationGroupId":"%s","AuthToken":"%s","AuthTokenUpdateStrategy":"%s","ApplyImmediately":true}' \
        "$GROUP" "$token" "$1" >"$request"
    aws elasticache modify-replication-group --cli-input-json "file://$request" >/dev/null
    aws elasticache wait replication-group-available --replication-group-id "$GROUP"
}

modify ROTATE
[ "$protected" = "True" ] || modify SET
