"""A runtime executor for LocalStack that keeps functions without running them, so that Lambda's API works without Docker."""

from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor


class RecordsOnly(RuntimeExecutor):
    """Answers an invocation with an empty object, whatever the code is."""

    @classmethod
    def prepare_version(cls, function_version):
        """Nothing is unpacked."""

    @classmethod
    def cleanup_version(cls, function_version):
        """Nothing was unpacked."""

    def start(self, env_vars):
        """Nothing is started."""

    def stop(self):
        """Nothing was started."""

    def invoke(self, payload):
        return InvocationResult(request_id=self.id, payload=b"{}", is_error=False, logs="")

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        return "http://127.0.0.1"

    def get_logs(self):
        return ""


class RecordsOnlyPlugin(RuntimeExecutorPlugin):
    name = "records-only"

    def load(self, *args, **kwargs):
        return RecordsOnly
