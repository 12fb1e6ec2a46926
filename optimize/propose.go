package optimize

import (
	"context"
	"fmt"
	"strings"

	"github.com/whetgo/whet/internal/pyrand"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// proposerConfig says what a proposer tells the prompt model.
type proposerConfig struct {
	// dataAware is a summary of the training examples, programAware a description of the
	// program and of the predictor, tipAware a hint at a style, drawn for each proposal,
	// fewshotAware some bootstrapped demos.
	dataAware, programAware, tipAware, fewshotAware bool
	// viewData is the number of examples that are read at once for the summary.
	viewData int
	// temperature is that of everything but the summary, whose is 1.
	temperature float64
}

// demosShown is how many bootstrapped demos a proposal is shown.
const demosShown = 3

// proposer has the prompt model write instructions that are grounded in the data, the program
// and its demos: the proposer of MIPROv2 (Opsahl-Ong et al., arXiv 2406.11695, section 3),
// with the fields, the order and the draws of DSPy's, and with prompts of its own.
type proposer struct {
	*session
	cfg  proposerConfig
	rng  *pyrand.Rand
	data string // the summary of the training examples
	// outline is what stands for the program's source code.
	outline string
	// trouble says what could not be read while the data were summed up.
	trouble string
}

// newProposer sums up the training examples, if that is wanted. Where the prompt model's
// replies cannot be read, the proposer does without the summary.
func (s *session) newProposer(ctx context.Context, cfg proposerConfig, rng *pyrand.Rand) (*proposer, error) {
	p := &proposer{session: s, cfg: cfg, rng: rng}
	if cfg.programAware {
		p.outline = s.outline()
	}
	if !cfg.dataAware {
		return p, nil
	}
	data, err := p.summarise(ctx)
	if p.ends(ctx, err) {
		return nil, fmt.Errorf("summing up the training examples: %w", err)
	}
	if err != nil {
		p.cfg.dataAware, p.trouble = false, fmt.Sprintf("without a summary of the data, as there was none to be read: %s", brief(err))
	}
	p.data = data
	return p, nil
}

// ends reports an error that ends the search: the context's, or one that every further call
// would meet too. What else goes wrong costs a proposal.
func (p *proposer) ends(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || hopeless(err))
}

// propose returns instructions for a predictor; j is the set of demos that is shown first, as
// far as they were bootstrapped. A proposal that could not be read is "". The note says how
// it was made.
//
// It draws a tip and a rollout, whatever comes of it.
func (p *proposer) propose(ctx context.Context, predictor int, sets []candidate, j int) (instruction, note string, err error) {
	t := tip{name: "none"}
	if p.cfg.tipAware {
		t = pyrand.Choice(p.rng, tips())
	}
	rollout := p.rng.Int(0, 1e9)
	demos := noDemos
	if p.cfg.fewshotAware && j > 0 {
		demos = p.demosFor(predictor, sets, j)
	}
	notes := []string{"tip: " + t.name}
	if p.trouble != "" {
		notes = append(notes, p.trouble)
	}
	in := signature.Record{}
	if p.cfg.dataAware {
		in = in.With(fieldData, p.data)
	}
	if p.cfg.programAware {
		about, err := p.describeCall(ctx, predictor, demos, rollout)
		if p.ends(ctx, err) {
			return "", "", fmt.Errorf("describing the program: %w", err)
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("without a description of the program, as there was none to be read: %s", brief(err)))
		}
		in = in.Merge(about)
	}
	in = in.With(fieldDemos, demos).With(fieldBasic, p.instructionsOf(predictor, p.own[predictor]))
	if t.text != "" {
		in = in.With(fieldTip, t.text)
	}
	text, err := p.asked(ctx, instructionPrompt(), in, rollout, p.cfg.temperature)
	if p.ends(ctx, err) {
		return "", "", fmt.Errorf("proposing instructions for %s: %w", p.named[predictor].Name, err)
	}
	if err == nil {
		if text = unlabelled(text); text == "" {
			err = errBlank
		}
	}
	if err != nil {
		text = ""
		notes = append(notes, fmt.Sprintf("the proposal could not be read: %s", brief(err)))
	}
	return text, strings.Join(notes, "; "), nil
}

// describeCall asks what the program and the predictor do, and returns what a proposal is told of
// them. Also with an error it returns all fields.
func (p *proposer) describeCall(ctx context.Context, predictor int, demos string, rollout int) (signature.Record, error) {
	n := p.named[predictor]
	call := n.Name + "(" + strings.Replace(n.Predictor.Signature().String(), " -> ", ") -> ", 1)
	about := signature.RecordOf(fieldCode, p.outline, fieldProgram, undescribed, fieldModule, call, fieldAbout, undescribed)
	in := signature.RecordOf(fieldCode, p.outline, fieldExample, demos)
	program, err := p.asked(ctx, programPrompt(), in, rollout, p.cfg.temperature)
	if err != nil {
		return about, err
	}
	program = unlabelled(program)
	about = about.With(fieldProgram, program)
	role, err := p.asked(ctx, modulePrompt(), in.With(fieldProgram, program).With(fieldModule, call), rollout, p.cfg.temperature)
	if err != nil {
		return about, err
	}
	return about.With(fieldAbout, role), nil
}

// asked returns the reply to a prompt.
func (p *proposer) asked(ctx context.Context, about prompt, in signature.Record, rollout int, temperature float64) (string, error) {
	sig, err := about.signature(in)
	if err != nil {
		return "", err
	}
	m, err := module.NewDynamic(sig)
	if err != nil {
		return "", err
	}
	out, err := p.prompt(ctx, m, in, rollout, temperature)
	if err != nil {
		return "", err
	}
	v, _ := out.Get(about.asks)
	text, _ := v.(string)
	return text, nil
}

// demosFor shows up to three of the bootstrapped demos that a predictor has in the sets: first
// those of the j-th, then of those behind it, then of those before it.
func (p *proposer) demosFor(predictor int, sets []candidate, j int) string {
	var shown []string
	for k := range sets {
		for _, d := range sets[(j+k)%len(sets)][predictor].Demos {
			if d.Augmented && len(shown) < demosShown {
				shown = append(shown, p.showDemo(predictor, d))
			}
		}
	}
	if len(shown) == 0 {
		return noDemos
	}
	return strings.Join(shown, "\n\n")
}

// showDemo writes a demo, a line per field.
func (p *proposer) showDemo(predictor int, d module.Demo) string {
	var lines []string
	for _, f := range p.named[predictor].Predictor.Signature().Fields() {
		if v, ok := d.Fields.Get(f.Name); ok {
			lines = append(lines, f.Name+": "+showValue(v))
		}
	}
	return strings.Join(lines, "\n")
}
