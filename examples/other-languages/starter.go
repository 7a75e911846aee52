// Starts a batch and prints its result: go run starter.go file:///data/requests.jsonl batch-1
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// FileRef and Result are the part of the contract that is needed here.
type FileRef struct {
	URI    string `json:"uri"`
	Bytes  int64  `json:"bytes"`
	Lines  int64  `json:"lines"`
	SHA256 string `json:"sha256"`
}

type Result struct {
	Status  string         `json:"status"`
	BatchID *string        `json:"batchId"`
	Lines   map[string]int `json:"lines"`
	Output  *FileRef       `json:"output"`
	Errors  *FileRef       `json:"errors"`
}

func main() {
	temporalClient, err := client.Dial(client.Options{
		HostPort:  or(os.Getenv("TEMPORAL_ADDRESS"), client.DefaultHostPort),
		Namespace: os.Getenv("TEMPORAL_NAMESPACE"),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer temporalClient.Close()

	options := client.StartWorkflowOptions{
		ID:        os.Args[2],
		TaskQueue: or(os.Getenv("LLM_JOBS_TASK_QUEUE"), "llm-jobs"),
		// A repeated start joins the run, and never buys the batch again.
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
	}
	spec := map[string]any{
		"input":    map[string]any{"uri": os.Args[1]},
		"endpoint": "/v1/chat/completions",
		"deadline": "20h",
	}
	run, err := temporalClient.ExecuteWorkflow(context.Background(), options, "runBatch", spec)
	if err != nil {
		log.Fatal(err)
	}
	var result Result
	if err := run.Get(context.Background(), &result); err != nil {
		var failure *temporal.ApplicationError
		if errors.As(err, &failure) {
			var details json.RawMessage
			_ = failure.Details(&details)
			log.Fatalf("%s: %s %s", failure.Type(), failure.Message(), details)
		}
		log.Fatal(err)
	}
	text, _ := json.MarshalIndent(result, "", "  ")
	fmt.Println(string(text))
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
