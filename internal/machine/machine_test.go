package machine

import (
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ringway-net/ringway/internal/perf"
)

func files(m map[string]string) fs.FS {
	root := fstest.MapFS{}
	for name, text := range m {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

func TestReadThisMachine(t *testing.T) {
	i := Read()
	if i.CPUs != runtime.NumCPU() || i.OS != runtime.GOOS || i.Arch != runtime.GOARCH || i.Go == "" || i.Pinning == "" || i.GOMAXPROCS < 1 {
		t.Errorf("%+v", i)
	}
	if _, err := os.Stat("/proc/loadavg"); err == nil && i.LoadAverage == "" {
		t.Error("/proc/loadavg is there, and no load average is told")
	}
	if _, err := json.Marshal(i); err != nil {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	const cpu = "sys/devices/system/cpu/cpu0/"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  Info
	}{
		{"nothing", nil, Info{}},
		{"PC", map[string]string{
			"proc/cpuinfo":                               "processor\t: 0\nmodel\t\t: 17\nmodel name\t: A CPU: fast\n\nprocessor\t: 1\nmodel name\t: B\n",
			"proc/loadavg":                               "0.10 0.20 0.30 1/86 673\n",
			"proc/sys/kernel/osrelease":                  "6.1.0\n",
			cpu + "cpufreq/scaling_governor":             "powersave\n",
			"sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
			cpu + "cache/index0/level":                   "1\n", cpu + "cache/index0/type": "Data\n", cpu + "cache/index0/size": "32K\n",
			cpu + "cache/index1/level": "1\n", cpu + "cache/index1/type": "Instruction\n", cpu + "cache/index1/size": "32K\n",
			cpu + "cache/index2/level": "2\n", cpu + "cache/index2/type": "Unified\n", cpu + "cache/index2/size": "512K\n",
			cpu + "cache/index3/level": "3\n",
		}, Info{CPU: "A CPU: fast", LoadAverage: "0.10 0.20 0.30", Kernel: "6.1.0", Governor: "powersave", HugePages: "madvise", Caches: []string{"L1 32K", "L2 512K"}}},
		{"board", map[string]string{"proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108\n\nModel\t\t: A Board\n"}, Info{CPU: "A Board"}},
		{"nonsense", map[string]string{"proc/loadavg": "x", "proc/cpuinfo": ":::\n:", "sys/kernel/mm/transparent_hugepage/enabled": "always"}, Info{}},
	} {
		var got Info
		got.readFiles(files(c.files))
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestFactsLeaveOutWhatIsUnknown(t *testing.T) {
	facts := map[string]string{}
	for _, f := range (Info{CPUs: 4, OS: "plan9", Arch: "mips"}).Facts() {
		facts[f.Name] = f.Value
	}
	if facts["CPU"] != "unknown" || facts["governor"] != "unknown" || facts["system"] != "plan9/mips" {
		t.Errorf("%v", facts)
	}
	if _, ok := facts["caches"]; ok {
		t.Errorf("caches are told, and unknown: %v", facts)
	}
}

func TestCPUTimes(t *testing.T) {
	for text, want := range map[string][2]uint64{
		"": {0, 0}, "cpu": {0, 0}, "cpu x y\n": {0, 0},
		"cpu  1 2 3 4 5 6 7 8 90 90\ncpu0 1\n": {36, 8},
		"cpu  1 2 3\n":                         {6, 0},
	} {
		total, stolen := cpuTimes(files(map[string]string{"proc/stat": text}))
		if total != want[0] || stolen != want[1] {
			t.Errorf("%q: %d and %d, want %v", text, total, stolen, want)
		}
	}
}

func TestProbe(t *testing.T) {
	turns := probe(time.Millisecond)
	if len(turns) == 0 {
		t.Fatal("no turns")
	}
	if slow, slowest := judge(turns); slow < 0 || slow > 1 || slowest < 1 {
		t.Errorf("%v and %v", slow, slowest)
	}
	if slow, slowest := judge([]time.Duration{10, 10, 10, 20}); slow != 0.25 || slowest != 2 {
		t.Errorf("%v and %v, want 0.25 and 2", slow, slowest)
	}
	if slow, _ := judge([]time.Duration{0, 0}); slow != 0 {
		t.Errorf("%v of equal turns are slow", slow)
	}
}

func result(values ...float64) perf.Result {
	return perf.Result{Work: "spsc/single", Impl: perf.Ours, Figure: perf.NS, Values: values}
}

func TestWarnings(t *testing.T) {
	stat := "cpu  100 0 0 0 0 0 0 5\n"
	calm := Watch{info: Info{GOMAXPROCS: 2, CPUs: 2, Governor: "performance", LoadAverage: "0.1 0 0"}, slow: 0.01, slowest: 3}
	calm.total, calm.stolen = 5, 5
	still := []perf.Result{result(10, 10, 10, 10, 10)}
	with := func(change func(*Watch)) Watch {
		w := calm
		change(&w)
		return w
	}
	for _, c := range []struct {
		watch   Watch
		results []perf.Result
		says    string // in the only warning; none if empty
	}{
		{calm, still, ""},
		{calm, nil, ""},
		{calm, []perf.Result{result()}, ""},
		{calm, []perf.Result{result(0, 0, 0, 0, 0)}, ""},
		{calm, []perf.Result{result(math.NaN(), math.NaN(), 1, 1, 1)}, ""},
		{Watch{info: Info{GOMAXPROCS: 2}, total: 105, stolen: 5}, still, ""}, // nothing is known
		{with(func(w *Watch) { w.info.GOMAXPROCS = 1 }), still, "one CPU"},
		{with(func(w *Watch) { w.info.Governor = "powersave" }), still, "cpupower"},
		{with(func(w *Watch) { w.info.LoadAverage = "1.9 0 0" }), still, "1.90"},
		{with(func(w *Watch) { w.slow = 0.5 }), still, "50 %"},
		{with(func(w *Watch) { w.stolen = 0 }), still, "5.0 %"},
		{calm, []perf.Result{result(8, 9, 10, 20, 20)}, "spsc/single"},
		{calm, []perf.Result{result(5, 10, 10, 10, 10)}, "5 to 10 ns, median 10"},
		{calm, []perf.Result{result(8, 8, 8, 8, 80)}, ""}, // once is no noise
		{calm, []perf.Result{result(8, 80)}, "too few"},
	} {
		w := c.watch
		w.root = files(map[string]string{"proc/stat": stat})
		got := w.Warnings(c.results)
		if c.says == "" && len(got) != 0 || c.says != "" && (len(got) != 1 || !strings.Contains(got[0], c.says)) {
			t.Errorf("%+v, %v: %q, want one with %q", c.watch.info, c.results, got, c.says)
		}
	}
}
