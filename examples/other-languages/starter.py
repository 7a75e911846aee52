"""Starts a batch and reads its answers: pip install temporalio, then python starter.py requests.jsonl batch-1"""

import asyncio
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError


async def main(path: str, workflow_id: str) -> int:
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"),
        namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
    )
    spec = {"input": {"uri": Path(path).resolve().as_uri()}, "endpoint": "/v1/chat/completions", "deadline": "20h"}
    try:
        run = await client.start_workflow(
            "runBatch",
            spec,
            id=workflow_id,
            task_queue=os.environ.get("LLM_JOBS_TASK_QUEUE", "llm-jobs"),
            # A repeated start joins the run, and never buys the batch again.
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
    except WorkflowAlreadyStartedError:
        # It has ended: this is its result.
        run = client.get_workflow_handle(workflow_id)
    print("progress:", (await run.query("progress"))["phase"], file=sys.stderr)
    try:
        result = await run.result()
    except WorkflowFailureError as error:
        if isinstance(error.cause, ApplicationError):
            print(f"{error.cause.type}: {error.cause.message}", *error.cause.details, file=sys.stderr)
        return 1
    print(result["status"], result["lines"], file=sys.stderr)
    if result["output"]:
        with open(url2pathname(urlparse(result["output"]["uri"]).path), encoding="utf-8") as lines:
            for line in lines:
                answer = json.loads(line)
                print(answer["custom_id"], answer["response"]["body"]["choices"][0]["message"]["content"])
    return 0


sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2])))
