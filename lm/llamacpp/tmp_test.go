//go:build llamacpp

package llamacpp

import ("testing";"os";"context";"fmt";"time";"sync";"strings"
"github.com/whetgo/whet/lm")

func TestTmp(t *testing.T){
	for _, p := range []string{os.Getenv("WHET_MODEL_SMOLLM2"), os.Getenv("WHET_MODEL_GEMMA")} {
	t0:=time.Now()
	m,err:=Open(p)
	if err!=nil{t.Fatal(err)}
	fmt.Println(m.Name(), time.Since(t0), m.engine.info().limits, m.engine.info().patience, m.template.name, m.templateErr)
	t0=time.Now()
	r,err:=m.Generate(context.Background(),&lm.Request{Prompt:"The capital of France is", MaxTokens:20})
	fmt.Printf("%+v %v %v\n", r, err, time.Since(t0))
	r,err=m.Generate(context.Background(),&lm.Request{Messages:[]lm.Message{lm.User("Say hello.")}, MaxTokens:20})
	fmt.Printf("%+v %v\n", r, err)
	shape:=&lm.Shape{Segments:[]lm.Segment{{Literal:" "},{Hole:lm.HoleChoice,Name:"label",Choices:[]lm.Alternative{{Text:"ham"},{Text:"spam"},{Text:"smishing"}}},{Literal:"\n"}}}
	shape2:=&lm.Shape{Segments:[]lm.Segment{{Literal:" "},{Hole:lm.HoleText,Name:"why"},{Literal:"\nLabel: "},{Hole:lm.HoleChoice,Name:"label",Choices:[]lm.Alternative{{Text:"ham"},{Text:"spam"},{Text:"smishing"}}},{Literal:"\n"}}}
	pre:=strings.Repeat("Text: You won a prize, call now to claim it\nLabel: spam\n\nText: hi mum, are you home for dinner?\nLabel: ham\n\n", 12)
	r,err=m.Generate(context.Background(),&lm.Request{Prompt:pre+"Text: are you there?\nLabel:", Shape:shape})
	fmt.Printf("%+v %v\n", r, err)
	r,err=m.Generate(context.Background(),&lm.Request{Prompt:pre+"Text: are you there?\nLabel:", Shape:shape})
	fmt.Printf("%+v %v\n", r, err)
	r,err=m.Generate(context.Background(),&lm.Request{Prompt:pre+"Text: are you there?\nReason:", Shape:shape2, MaxTokens:30})
	fmt.Printf("%+v %v\n", r, err)
	t0=time.Now(); s0:=m.scheduler.stats
	var wg sync.WaitGroup
	for i:=range 8 { wg.Go(func(){ for k:=range 13 {
		r,err:=m.Generate(context.Background(),&lm.Request{Prompt:pre+fmt.Sprintf("Text: are you there? I have been waiting since %d and will %d leave you all the best in the next one\nLabel:",i,k), Shape:shape})
		if err!=nil {t.Error(err)}
		if k==0 {fmt.Printf("%+v %v\n", r, err)}
	}})}
	wg.Wait()
	fmt.Println("104 rows", time.Since(t0), m.scheduler.stats.steps-s0.steps, m.scheduler.stats.evaluated-s0.evaluated)
	fmt.Println(m.scheduler.kv.room())
	m.Close()
	}
}
