"""Object storage for whoever needs some: a server of moto's here, which speaks S3's protocol."""

import logging
import socket
from uuid import uuid4

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
               "AWS_DEFAULT_REGION": "us-east-1"}


class Storage:
    """A context manager; `url` is where others find it, as long as it lasts.

    All servers of a process have the same objects: each has a bucket of its own.
    """

    def __init__(self, host):
        with socket.socket() as free:
            free.bind((host, 0))
            self._port = free.getsockname()[1]
        self._host, self.url = host, f"http://{host}:{self._port}"
        self.bucket = f"archive-{uuid4().hex}"
        self.settings = {"COSTS_ARCHIVE_BUCKET": self.bucket, "COSTS_ARCHIVE_ENDPOINT": self.url}

    def __enter__(self):
        import boto3  # with the next half a second, in each process that collects tests
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address=self._host, port=self._port, verbose=False)
        self._server.start()
        self._client = boto3.client(
            "s3", endpoint_url=self.url, region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            aws_access_key_id="test", aws_secret_access_key="test")
        self._client.create_bucket(Bucket=self.bucket)
        return self

    def __exit__(self, *_):
        self._client.close()
        self._server.stop()

    def objects(self, prefix):
        """Return the objects whose name begins so: name to contents."""
        listed = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        names = [one["Key"] for one in listed.get("Contents", ())]
        return {name: self._client.get_object(Bucket=self.bucket, Key=name)["Body"].read()
                for name in names}
