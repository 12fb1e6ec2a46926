package module_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
	"github.com/whetgo/whet/trace"
)

// letters embeds a text as its counts of letters.
type letters struct{ fail error }

func (e letters) Embed(_ context.Context, texts []string) (*lm.Embeddings, error) {
	if e.fail != nil {
		return nil, e.fail
	}
	out := &lm.Embeddings{Model: "letters", Usage: lm.Usage{Calls: 1, PromptTokens: len(texts)}}
	for _, text := range texts {
		v := make([]float32, 26)
		for _, r := range strings.ToLower(text) {
			if r >= 'a' && r <= 'z' {
				v[r-'a']++
			}
		}
		out.Vectors = append(out.Vectors, v)
	}
	return out, nil
}

func parcels() []module.Example[sms, verdict] {
	return []module.Example[sms, verdict]{
		{In: sms{"zzz zz"}, Out: verdict{"ham"}, ID: "z"},
		{In: sms{"parcel fee"}, Out: verdict{"smishing"}},
		{In: sms{"zzz z"}, Out: verdict{"spam"}, ID: "z2"},
		{In: sms{"parcels"}, Out: verdict{""}}, // not known
	}
}

func TestKNN(t *testing.T) {
	t.Parallel()
	knn, err := module.NewKNN(t.Context(), parcels(), 2, letters{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, tr := trace.Start(t.Context())
	got, err := knn.Nearest(ctx, sms{"a parcel fee"})
	if err != nil || len(got) != 2 || got[0].Index != 1 || got[1].Index != 3 || got[0].Similarity <= got[1].Similarity || got[0].Similarity > 1.0001 {
		t.Errorf("Nearest = %+v, %v, want the examples 1 and 3", got, err)
	}
	if n := module.Lookups(tr); len(n) != 1 || n[0].IDs[0] != "#1" || n[0].Usage.Calls != 1 || n[0].Dropped || knn.Usage().PromptTokens != 4 {
		t.Errorf("the trace has %+v", tr.Steps())
	}
	all, err := module.NewKNN(t.Context(), parcels(), 9, letters{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := all.Nearest(t.Context(), sms{"text zz"}); err != nil || len(got) != 4 || got[0].Example.ID != "z2" {
		t.Errorf("of all: %+v, %v", got, err)
	}
}

// TestKNNDemos shows a predictor the nearest examples after its own, whatever a
// candidate's states are, and from many goroutines.
func TestKNNDemos(t *testing.T) {
	t.Parallel()
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		var shown []string
		for _, m := range r.Messages[1 : len(r.Messages)-1] {
			shown = append(shown, m.Text())
		}
		all := strings.Join(shown, "\n")
		label := "ham"
		if strings.Index(all, "own demo") < strings.Index(all, "parcel fee") && strings.Contains(all, "own demo") && !strings.Contains(all, "parcels") {
			label = "smishing"
		}
		return reply("label", label), nil
	})
	knn, err := module.NewKNN(t.Context(), parcels(), 2, letters{})
	if err != nil {
		t.Fatal(err)
	}
	p := module.MustPredict[sms, verdict](smsInstructions, module.WithLM(model))
	d, err := module.NewKNNDemos(p, knn)
	if err != nil {
		t.Fatal(err)
	}
	own, err := module.States{}.With(p.Predictor(), module.State{Demos: []module.Demo{{Fields: signature.RecordOf("text", "own demo", "label", "ham")}}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			pred, err := d.Call(module.WithStates(context.Background(), own), sms{"parcel fee!"})
			if err != nil || pred.Out.Label != "smishing" || pred.Usage.Calls != 2 {
				t.Errorf("got %+v, %v", pred, err)
			}
		})
	}
	wg.Wait()
	if len(p.Predictor().State().Demos) != 0 {
		t.Error("the predictor's own state was changed")
	}
	if named, err := module.Predictors(d); err != nil || named[0].Name != "module" {
		t.Errorf("the predictors are %+v, %v", named, err)
	}
}

func TestKNNErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, f := range map[string]func() error{
		"no embedder": func() error { _, err := module.NewKNN(t.Context(), parcels(), 1, nil); return err },
		"no examples": func() error {
			_, err := module.NewKNN[sms, verdict](t.Context(), nil, 1, letters{})
			return err
		},
		"k":      func() error { _, err := module.NewKNN(t.Context(), parcels(), 0, letters{}); return err },
		"broken": func() error { _, err := module.NewKNN(t.Context(), parcels(), 1, letters{broken}); return err },
		"no predictors": func() error {
			knn, err := module.NewKNN(t.Context(), parcels(), 1, letters{})
			if err != nil {
				return err
			}
			_, err = module.NewKNNDemos(module.Func[sms, verdict](nil), knn)
			return err
		},
	} {
		if err := f(); err == nil || name == "broken" && !errors.Is(err, broken) || name == "no predictors" && !errors.Is(err, module.ErrNoPredictors) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleNewKNNDemos() {
	examples := []module.Example[Mail, Folder]{
		{In: Mail{"Minutes of the meeting"}, Out: Folder{"work"}},
		{In: Mail{"Win a cruise"}, Out: Folder{"junk"}},
	}
	model := lmtest.Answer(func(r *lm.Request) (string, error) {
		return r.Messages[2].Text(), nil // says what the demo says
	})
	ctx := context.Background()
	nearest, err := module.NewKNN(ctx, examples, 1, letters{})
	if err != nil {
		fmt.Println(err)
		return
	}
	sort, err := module.NewKNNDemos(module.MustPredict[Mail, Folder]("Sort the mail.", module.WithLM(model)), nearest)
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := sort.Run(ctx, Mail{"Win a car"})
	fmt.Println(out.Folder, err)
	// Output: junk <nil>
}
