"""An Airbyte source: one HttpStream for each stream. `python connector.py FOLDER` with FOLDER/config.json; messages go to stdout."""

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConnectorSpecification
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.streams.call_rate import HttpAPIBudget, MovingWindowCallRatePolicy, Rate
from airbyte_cdk.sources.streams.http import HttpStream
from airbyte_cdk.sources.streams.http.error_handlers import BackoffStrategy
from airbyte_cdk.sources.streams.http.requests_native_auth import TokenAuthenticator


class OneMinute(BackoffStrategy):
    """Once the limit is reached, the vendor accepts nothing until the minute is over."""

    def backoff_time(self, response_or_exception, attempt_count):
        return 60.0


class Events(HttpStream):
    primary_key = "log_item_id"
    cursor_field = "generation_time"
    url_base = ""
    # The items of a page.
    state_checkpoint_interval = 500

    def __init__(self, config, stream, budget):
        self.url_base = config["url"]
        self.service, self.event = stream.split("/")
        self.start = config["since"]
        super().__init__(authenticator=TokenAuthenticator(config["key"]), api_budget=budget)

    @property
    def name(self):
        return f"{self.service}_{self.event}"

    @property
    def state(self):
        return {"generation_time": self.start}

    @state.setter
    def state(self, value):
        self.start = value.get("generation_time", self.start)

    def get_json_schema(self):
        return {"type": "object", "properties": {}, "additionalProperties": True}

    def get_backoff_strategy(self):
        return OneMinute()

    def path(self, *, stream_state=None, stream_slice=None, next_page_token=None):
        return next_page_token["link"] if next_page_token else "/v1/siem/security_events"

    def request_params(self, stream_state, stream_slice=None, next_page_token=None):
        if next_page_token:
            return {}
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"service": self.service, "event": self.event, "start": self.start, "end": now}

    def next_page_token(self, response):
        link = self.body.get("next_link")
        return {"link": link} if link else None

    def parse_response(self, response, *, stream_state, stream_slice=None, next_page_token=None):
        # Kept for next_page_token, so that it is parsed once.
        self.body = response.json()
        generation = self.body.get("last_log_item_generation_time")
        for item in self.body["security_events"]:
            yield {**item, "generation_time": generation}
        # Only now the whole page is written.
        self.start = generation or self.start


class CloudAppSecurity(AbstractSource):
    def spec(self, logger):
        return ConnectorSpecification(connectionSpecification={})

    def check_connection(self, logger, config):
        return True, None

    def streams(self, config):
        limit = config["requestsPerMinute"]
        policies = [MovingWindowCallRatePolicy(rates=[Rate(limit, timedelta(minutes=1))], matchers=[])] if limit else []
        budget = HttpAPIBudget(policies=policies)
        return [Events(config, stream, budget) for stream in config["streams"]]


def main(folder):
    config = json.loads((folder / "config.json").read_text())
    source = CloudAppSecurity()
    streams = [
        {"stream": stream.as_airbyte_stream().__dict__, "sync_mode": "incremental", "destination_sync_mode": "append"}
        for stream in source.streams(config)
    ]
    catalog, state = folder / "catalog.json", folder / "state.json"
    catalog.write_text(json.dumps({"streams": streams}, default=lambda value: value.value))
    arguments = ["read", "--config", str(folder / "config.json"), "--catalog", str(catalog)]
    launch(source, [*arguments, "--state", str(state)] if state.exists() else arguments)


main(Path(sys.argv[1]).resolve())
