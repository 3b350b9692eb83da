"""A small S3 client with the standard library only: SigV4, path-style, keep-alive."""
import datetime
import hashlib
import hmac
import http.client
import urllib.parse
import xml.etree.ElementTree as ElementTree

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class S3Error(Exception):
    def __init__(self, status, code, body):
        super().__init__(f"{status} {code}: {body[:300]}")
        self.status, self.code = status, code


def _sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class S3:
    """One connection; not for several threads at once."""

    def __init__(self, endpoint, access_key, secret_key, region="us-east-1", timeout=30):
        url = urllib.parse.urlsplit(endpoint)
        self.host, self.port = url.hostname, url.port
        self.access_key, self.secret_key, self.region = access_key, secret_key, region
        self.timeout = timeout
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def _headers(self, method, path, query, body_hash):
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        headers = {"host": f"{self.host}:{self.port}", "x-amz-content-sha256": body_hash,
                   "x-amz-date": stamp}
        signed = ";".join(sorted(headers))
        canonical = "\n".join(
            [method, path, query]
            + [f"{name}:{headers[name]}" for name in sorted(headers)] + ["", signed, body_hash])
        scope = f"{day}/{self.region}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                             hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret_key).encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = _sign(key, part)
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, "
                                    f"SignedHeaders={signed}, Signature={signature}")
        return headers

    def raw(self, method, bucket, key="", query=None, body=b"", headers=None):
        """Returns (status, headers, body). Raises OSError or HTTPException without an answer."""
        path = "/" + urllib.parse.quote(bucket, safe="-_.~")
        if key:
            path += "/" + urllib.parse.quote(key, safe="/-_.~")
        pairs = sorted((query or {}).items())
        text = "&".join(f"{urllib.parse.quote(k, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}"
                        for k, v in pairs)
        all_headers = self._headers(method, path, text, hashlib.sha256(body).hexdigest())
        all_headers.update(headers or {})
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.host, self.port,
                                                         timeout=self.timeout)
        try:
            self.connection.request(method, path + ("?" + text if text else ""), body or None,
                                    all_headers)
            answer = self.connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.will_close:
            self.close()
        return answer.status, answer.headers, data

    def call(self, method, bucket, key="", **more):
        status, headers, data = self.raw(method, bucket, key, **more)
        if status >= 300:
            code = ""
            try:
                code = ElementTree.fromstring(data).findtext("Code") or ""
            except ElementTree.ParseError:
                pass
            raise S3Error(status, code, data.decode("utf-8", "replace"))
        return headers, data

    def create_bucket(self, bucket):
        self.call("PUT", bucket)

    def put(self, bucket, key, body):
        self.call("PUT", bucket, key, body=body)

    def get(self, bucket, key):
        return self.call("GET", bucket, key)[1]

    def delete(self, bucket, key):
        self.call("DELETE", bucket, key)

    def keys(self, bucket, prefix=""):
        found, token = [], None
        while True:
            query = {"list-type": "2", "prefix": prefix}
            if token:
                query["continuation-token"] = token
            root = ElementTree.fromstring(self.call("GET", bucket, query=query)[1])
            found += [item.findtext(NAMESPACE + "Key")
                      for item in root.iter(NAMESPACE + "Contents")]
            token = root.findtext(NAMESPACE + "NextContinuationToken")
            if root.findtext(NAMESPACE + "IsTruncated") != "true":
                return found
