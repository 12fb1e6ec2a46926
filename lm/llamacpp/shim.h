//go:build llamacpp

// A thin layer over llama.h. It keeps the batch in C memory, turns one step of the
// scheduler into one call, and reduces each row of logits to the few numbers that
// the step needs, so that a row crosses into Go only when a token is drawn from it.
#ifndef WHET_SHIM_H
#define WHET_SHIM_H

#include <stddef.h>
#include <stdint.h>

typedef struct whet_engine whet_engine;

typedef struct {
    int32_t context;   // cells of the KV cache, tokens
    int32_t batch;     // tokens of one step
    int32_t sequences; // ids of sequences
    int32_t outputs;   // rows of logits of one step
    int32_t threads;
    int bare; // steps are not filled up, see fill_up; for tests
} whet_sizes;

typedef struct {
    int32_t vocab, bos, eos, eot, add_bos;
    int32_t train_context, layers, width;
    int32_t recurrent, hybrid, diffusion, encoder; // what kind of model it is, if not a plain one
    uint64_t params;
} whet_info;

// What is wanted of a row of logits.
enum { WHET_BEST = 1, WHET_LSE = 2 };

// One step. The arrays belong to the caller; llama_batch gets copies.
typedef struct {
    int32_t n_tokens;
    const int32_t *token, *pos, *n_seq, *seq; // seq is flat: n_seq[0] ids, n_seq[1] ids, ...
    int32_t n_out;
    const int32_t *out_index, *out_want, *out_targets; // out_targets counts the targets of each row
    const int32_t *target;                             // flat, like seq
    int32_t *best;                                     // one a row
    double  *lse;                                      // one a row
    float   *target_logit;                             // one a target
} whet_step;

// whet_start returns 0, or WHET_NO_MEMORY for a model that keeps nothing of the tokens
// it has seen, or another number below 0.
enum { WHET_NO_MEMORY = -2 };
// Starts llama.cpp with its log caught; whet_load and whet_quantize do it, too.
void whet_init(void);

whet_engine *whet_load(const char *path, int32_t gpu_layers, whet_info *info);
int          whet_start(whet_engine *e, whet_sizes sizes);
void         whet_free(whet_engine *e);

// For shim_embed.c: the engine's weights, on which it makes contexts of its own, and what
// a call begins with whose failure whet_reason will tell.
struct llama_model *whet_model(const whet_engine *e);
void                whet_forget_reason(void);

// The model's own chat template, or NULL.
const char *whet_chat_template(const whet_engine *e);

// The result of llama_decode: 0 ok, 1 no room, 2 aborted, below 0 failed.
int          whet_decode(whet_engine *e, const whet_step *s);
uint64_t     whet_handed(const whet_engine *e); // tokens given to llama_decode so far, those of fill_up included
const float *whet_row(whet_engine *e, int32_t index);
void         whet_abort(whet_engine *e, int on);
void         whet_copy(whet_engine *e, int32_t src, int32_t dst, int32_t end);
int          whet_cut(whet_engine *e, int32_t seq, int32_t begin); // whether it could; it always can from 0 on
int32_t      whet_first(whet_engine *e, int32_t seq); // the first token's position that is there, -1 for none
int32_t      whet_length(whet_engine *e, int32_t seq);

int32_t whet_tokenize(const whet_engine *e, const char *text, int32_t n, int32_t *out, int32_t cap, int special);
int32_t whet_piece(const whet_engine *e, int32_t token, char *out, int32_t cap);
int     whet_is_end(const whet_engine *e, int32_t token);

// Rewrites a model file with weights of another llama_ftype; 0 is success.
int whet_quantize(const char *from, const char *to, int32_t type);

// The first error line that llama.cpp has logged in the last call of whet_load, whet_start,
// whet_decode or whet_quantize on this thread; the rest of the log is dropped.
void whet_reason(char *out, size_t cap);

#endif
