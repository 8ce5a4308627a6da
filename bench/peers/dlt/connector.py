"""A dlt pipeline: one resource for each stream, loaded into JSON lines. `python connector.py FOLDER` with FOLDER/config.json."""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import dlt
from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator


class NextLink(JSONLinkPaginator):
    """On the last page the link is an empty text."""

    def update_state(self, response, data=None):
        super().update_state(response, data)
        self._next_reference = self._next_reference or None


def events(client, stream, since):
    """Reads from the generation time of the last item that it has. dlt stores this with the load, or not at all."""
    service, event = stream.split("/")
    state = dlt.current.resource_state()
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    params = {"service": service, "event": event, "start": state.get("start", since), "end": now}
    for [body] in client.paginate("/v1/siem/security_events", params=params):
        if body["security_events"]:
            yield body["security_events"]
            state["start"] = body["last_log_item_generation_time"]


@dlt.source(max_table_nesting=0)
def cloud_app_security(config):
    # Once the limit is reached, the vendor accepts nothing until the minute is over.
    session = Client(raise_for_status=False, request_max_attempts=10, request_backoff_factor=60, request_max_retry_delay=60).session
    client = RESTClient(
        base_url=config["url"],
        auth=BearerTokenAuth(config["key"]),
        paginator=NextLink(next_url_path="next_link"),
        data_selector="$",
        session=session,
    )
    for stream in config["streams"]:
        name = stream.replace("/", "_")
        yield dlt.resource(events, name=name, write_disposition="append")(client, stream, config["since"])


def main(folder):
    config = json.loads((folder / "config.json").read_text())
    pipeline = dlt.pipeline(
        "cas",
        pipelines_dir=str(folder / "state"),
        destination=dlt.destinations.filesystem(bucket_url=(folder / "out").as_uri()),
        dataset_name="events",
    )
    # After a kill, what was extracted is loaded first.
    while pipeline.has_pending_data:
        pipeline.run()
    pipeline.run(cloud_app_security(config))


main(Path(sys.argv[1]).resolve())
