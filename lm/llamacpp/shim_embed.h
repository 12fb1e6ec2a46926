//go:build llamacpp

// Contexts that compute embeddings, on the weights of an engine. llama.cpp gives the
// state of each token; which of them are added up to a vector the caller says.
#ifndef WHET_SHIM_EMBED_H
#define WHET_SHIM_EMBED_H

#include "shim.h"

typedef struct whet_embedder whet_embedder;

typedef struct {
    int32_t width; // numbers of a vector
    int32_t vocab;
    int32_t train_context;
    int32_t pooling;                               // the llama_pooling_type that the file names, or -1
    int32_t whole;                                 // the file says that tokens attend to those after them, too
    int32_t recurrent, hybrid, diffusion, decoder; // what kind of model it is; decoder: one that has an encoder besides
    int32_t no_vocab;                              // there is no tokenizer
    int32_t no_bos, no_eos, no_sep;                // the tokenizer would add one that there is not, on which llama.cpp may abort
} whet_embed_facts;

typedef struct {
    int32_t context;   // tokens of the longest text
    int32_t batch;     // tokens of one step
    int32_t sequences; // texts of one step
    int32_t threads;
    int32_t pooling; // for tests: 0, or the llama_pooling_type that llama.cpp is to apply itself
} whet_embed_sizes;

// What whet_embed_start has found: WHET_WHOLE says that the model keeps nothing of the
// tokens it has seen, so that a text must be computed in one step.
enum { WHET_FAILED = -1, WHET_PARTS = 0, WHET_WHOLE = 1 };

void whet_embed_look(whet_engine *e, whet_embed_facts *facts);
int  whet_embed_start(whet_engine *e, whet_embed_sizes sizes, whet_embedder **out);
void whet_embed_free(whet_embedder *m); // before the engine

// Computes n tokens, each of one sequence, and adds the state of token i to the row
// into[i] of sum, unless that is below 0. The result is that of whet_decode; unless it is
// 0, what is in sum is of no use.
int  whet_embed_step(whet_embedder *m, int32_t n, const int32_t *token, const int32_t *pos, const int32_t *seq,
                     const int32_t *into, double *sum);
void whet_embed_forget(whet_embedder *m, int32_t seq);
void whet_embed_abort(whet_embedder *m, int on);

// The text of special tokens is text, and those that the model wants about a text are added.
int32_t whet_embed_tokenize(const whet_engine *e, const char *text, int32_t n, int32_t *out, int32_t cap);

#endif
