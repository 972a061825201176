// SPDX-License-Identifier: MIT

package graph

// document is the graph file, key by key. Unknown keys are errors.
type document struct {
	Graph struct {
		Format      int                   `toml:"format"`
		Name        string                `toml:"name"`
		Certificate string                `toml:"certificate"`
		Memory      string                `toml:"memory"`
		Queue       struct{ Batches int } `toml:"queue"`
		Drain       string                `toml:"drain"`
		Isolated    bool                  `toml:"isolated"`
		DeadLetters *int64                `toml:"dead_letters_max"`
		Params      map[string]string     `toml:"params"`
	} `toml:"graph"`
	Backend map[string]*backendKeys `toml:"backend"`
	Source  map[string]*sourceKeys  `toml:"source"`
	Step    map[string]*stepKeys    `toml:"step"`
	Sink    map[string]*sinkKeys    `toml:"sink"`
	Task    map[string]*taskKeys    `toml:"task"`
	Test    []*testKeys             `toml:"test"`
}

type backendKeys struct {
	Library     string   `toml:"library"`
	Certificate string   `toml:"certificate"`
	Isolated    bool     `toml:"isolated"`
	MayNeed     []string `toml:"may_need"`
}

type sourceKeys struct {
	Parquet   string            `toml:"parquet"`
	CSV       string            `toml:"csv"`
	IPC       string            `toml:"ipc"`
	Schema    map[string]string `toml:"schema"`
	Cast      map[string]string `toml:"cast"`
	Columns   []string          `toml:"columns"`
	BatchRows int               `toml:"batch_rows"`
	Comma     string            `toml:"comma"`
	Nulls     []string          `toml:"nulls"`
	Limit     int64             `toml:"limit"`
	// Of a socket: how many producers come, and whether Thund dials.
	Connections int  `toml:"connections"`
	Connect     bool `toml:"connect"`
	// Files one by one.
	Each   bool     `toml:"each"`
	Done   string   `toml:"done"`
	Grace  string   `toml:"grace"`
	Events []string `toml:"events"`
}

type taskKeys struct {
	Go     string   `toml:"go"`
	Before []string `toml:"before"`
}

type stepKeys struct {
	Union      bool              `toml:"union"`
	Call       string            `toml:"call"`
	Go         string            `toml:"go"`
	From       any               `toml:"from"`
	Options    map[string]string `toml:"options"`
	Isolated   bool              `toml:"isolated"`
	Parallel   int               `toml:"parallel"`
	Heap       string            `toml:"heap"`
	Hold       string            `toml:"hold"`
	Timeout    string            `toml:"timeout"`
	Retries    int               `toml:"retries"`
	Backoff    string            `toml:"backoff"`
	DeadLetter string            `toml:"dead_letter"`
	Partition  []string          `toml:"partition_by"`
}

type testKeys struct {
	Name   string                      `toml:"name"`
	Given  map[string][]map[string]any `toml:"given"`
	Expect map[string][]map[string]any `toml:"expect"`
}

type sinkKeys struct {
	From    any    `toml:"from"`
	Parquet string `toml:"parquet"`
	CSV     string `toml:"csv"`
	IPC     string `toml:"ipc"`
	Connect bool   `toml:"connect"`
}
