//go:build llamacpp

#include "shim.h"

#include <llama.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct whet_engine {
    struct llama_model       *model;
    struct llama_context     *ctx;
    llama_memory_t            memory;
    const struct llama_vocab *vocab;
    int32_t                   n_vocab;
    struct llama_batch        batch;
    int32_t                   batch_cap;
    int32_t                   padding; // the sequence of the tokens that only fill up a step
    int32_t                   window;  // of attention in some layers, or 0; see guard
    int                       bare;
    int32_t                  *seq; // what batch.seq_id points into
    size_t                    seq_cap;
    uint64_t                  handed; // tokens that were given to llama_decode
    atomic_int                abort;
};

static pthread_once_t     once = PTHREAD_ONCE_INIT;
static _Thread_local char reason[512];

// A Go callback would cross the language border for every line of the log, so the
// filter is here and only one error is kept: the first, since those that follow only
// say that the caller has failed, too. llama.cpp reports a failure from the thread
// that has called it: with a text for each thread, one model's failure is not taken
// for another's.
static void keep_error(enum ggml_log_level level, const char *text, void *unused) {
    (void) unused;
    if (level == GGML_LOG_LEVEL_ERROR && !reason[0]) strncpy(reason, text, sizeof reason - 1);
}

// forget_reason begins a call whose failure will be reported: what an earlier one has
// left is not its reason.
static void forget_reason(void) { reason[0] = 0; }

static void init_once(void) {
    llama_log_set(keep_error, NULL);
    llama_backend_init();
}

void whet_init(void) { pthread_once(&once, init_once); }

void whet_reason(char *out, size_t cap) {
    strncpy(out, reason, cap - 1);
    out[cap - 1] = 0;
}

// Polled by llama.cpp between the nodes of a graph, from a thread of its own.
static bool aborted(void *e) { return atomic_load(&((whet_engine *) e)->abort) != 0; }

whet_engine *whet_load(const char *path, int32_t gpu_layers, whet_info *info) {
    whet_init();
    forget_reason();
    whet_engine *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    struct llama_model_params p = llama_model_default_params();
    p.n_gpu_layers = gpu_layers;
    e->model = llama_model_load_from_file(path, p);
    if (!e->model) {
        free(e);
        return NULL;
    }
    e->vocab   = llama_model_get_vocab(e->model);
    e->n_vocab = llama_vocab_n_tokens(e->vocab);
    info->vocab         = e->n_vocab;
    info->bos           = llama_vocab_bos(e->vocab);
    info->eos           = llama_vocab_eos(e->vocab);
    info->eot           = llama_vocab_eot(e->vocab);
    info->add_bos       = llama_vocab_get_add_bos(e->vocab);
    info->train_context = llama_model_n_ctx_train(e->model);
    info->layers        = llama_model_n_layer(e->model);
    info->width         = llama_model_n_embd(e->model);
    info->recurrent     = llama_model_is_recurrent(e->model);
    info->hybrid        = llama_model_is_hybrid(e->model);
    info->diffusion     = llama_model_is_diffusion(e->model);
    info->encoder       = llama_model_has_encoder(e->model);
    info->params        = llama_model_n_params(e->model);
    return e;
}

// llama.cpp's kernels for repacked weights take ROWS tokens at a time and those that
// are left over one by one, and the two round activations to 8 bits in different ways:
// the scores of a choice would depend on how many alternatives it has. So steps that
// score are filled up to a multiple of ROWS, and so are the rows of the last layer,
// which computes only the tokens with an output. Other steps are left as llama-server
// would have them.
enum { ROWS = 4 };

static int32_t round_up(int32_t n) { return (n + ROWS - 1) / ROWS * ROWS; }

int whet_start(whet_engine *e, whet_sizes z) {
    forget_reason();
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx           = z.context + ROWS; // llama.cpp rounds up to 256
    p.n_batch         = round_up(z.batch);
    p.n_ubatch        = round_up(z.batch);
    p.n_seq_max       = z.sequences + 2;
    p.n_outputs_max   = round_up(z.outputs > z.sequences + 2 ? z.outputs : z.sequences + 2);
    p.n_threads       = z.threads;
    p.n_threads_batch = z.threads;
    // One buffer for all sequences: copying a prefix only marks cells, and a token
    // may belong to several sequences. With a sliding window the whole cache must
    // stay, or a sequence could not be cut back.
    p.kv_unified          = true;
    p.swa_full            = true;
    p.abort_callback      = aborted;
    p.abort_callback_data = e;
    e->ctx = llama_init_from_model(e->model, p);
    if (!e->ctx) return -1;
    e->memory = llama_get_memory(e->ctx);
    if (!e->memory) return WHET_NO_MEMORY;
    e->batch_cap = z.batch;
    e->bare      = z.bare;
    e->padding   = z.sequences;
    e->window    = llama_model_n_swa(e->model);
    size_t cap   = round_up(z.batch);
    e->batch.token    = malloc(sizeof(llama_token) * cap);
    e->batch.pos      = malloc(sizeof(llama_pos) * cap);
    e->batch.n_seq_id = malloc(sizeof(int32_t) * cap);
    e->batch.seq_id   = malloc(sizeof(llama_seq_id *) * cap);
    e->batch.logits   = malloc(cap);
    if (!e->batch.token || !e->batch.pos || !e->batch.n_seq_id || !e->batch.seq_id || !e->batch.logits) return -1;
    return 0;
}

void whet_free(whet_engine *e) {
    if (!e) return;
    free(e->batch.token);
    free(e->batch.pos);
    free(e->batch.n_seq_id);
    free(e->batch.seq_id);
    free(e->batch.logits);
    free(e->seq);
    if (e->ctx) llama_free(e->ctx);
    llama_model_free(e->model);
    free(e);
}

struct llama_model *whet_model(const whet_engine *e) { return e->model; }

void whet_forget_reason(void) { forget_reason(); }

const char *whet_chat_template(const whet_engine *e) { return llama_model_chat_template(e->model, NULL); }

// e^x for x <= 0 to 2e-7, in a form that the compiler turns into vector code: the
// C library's expf would take longer than the rest of a step for a vocabulary of 262k.
static inline float exp_neg(float x) {
    x = x < -87.0f ? -87.0f : x;
    int32_t k = (int32_t) (x * 1.44269504f - 0.5f); // rounds, since x is not above 0
    float f = x - (float) k * 0.693359375f + (float) k * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * f + 1.3981999507e-3f;
    p = p * f + 8.3334519073e-3f;
    p = p * f + 4.1665795894e-2f;
    p = p * f + 1.6666665459e-1f;
    p = p * f + 5.0000001201e-1f;
    p = p * f * f + f + 1.0f;
    union { int32_t i; float f; } scale = { (k + 127) << 23 };
    return p * scale.f;
}

enum { LANES = 16, BLOCK = 4096 };

static double log_sum_exp(const float *x, int32_t n) {
    float lane[LANES];
    for (int j = 0; j < LANES; j++) lane[j] = x[0];
    int32_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    float max = lane[0];
    for (int j = 1; j < LANES; j++) max = lane[j] > max ? lane[j] : max;
    for (; i < n; i++) max = x[i] > max ? x[i] : max;

    double sum = 0;
    for (int32_t from = 0; from < n; from += BLOCK) {
        int32_t to = from + BLOCK < n ? from + BLOCK : n;
        for (int j = 0; j < LANES; j++) lane[j] = 0;
        for (i = from; i + LANES <= to; i += LANES)
            for (int j = 0; j < LANES; j++) lane[j] += exp_neg(x[i + j] - max);
        for (; i < to; i++) lane[0] += exp_neg(x[i] - max);
        for (int j = 0; j < LANES; j++) sum += lane[j];
    }
    return (double) max + log(sum);
}

static int32_t arg_max(const float *x, int32_t n) {
    // The first of the largest values, so that ties do not depend on the loop's form.
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

// fill_up makes the numbers of tokens and of outputs in the batch multiples of ROWS.
static void fill_up(whet_engine *e, int32_t outputs) {
    struct llama_batch *b = &e->batch;
    for (int32_t i = 0; b->n_tokens % ROWS != 0; i++) {
        int32_t at = b->n_tokens++;
        b->token[at]    = b->token[0];
        b->pos[at]      = i;
        b->n_seq_id[at] = 1;
        b->seq_id[at]   = &e->padding;
        b->logits[at]   = 0;
    }
    for (int32_t i = b->n_tokens; outputs % ROWS != 0; outputs++) {
        while (b->logits[--i]) {}
        b->logits[i] = 1;
    }
}

// guard keeps what lies before a sliding window: llama.cpp gives away the cells that one
// sequence alone owns and no longer attends to, even with swa_full, and a prefix that is
// taken over later would lack its beginning. While it looks for cells another sequence
// owns them, too.
static void guard(whet_engine *e, bool on) {
    if (e->window <= 0) return;
    llama_seq_id all = e->padding + 1;
    for (llama_seq_id s = 0; on && s < e->padding; s++)
        if (llama_memory_seq_pos_max(e->memory, s) + 1 >= e->window) llama_memory_seq_cp(e->memory, s, all, -1, -1);
    if (!on) llama_memory_seq_rm(e->memory, all, -1, -1);
}

int whet_decode(whet_engine *e, const whet_step *s) {
    forget_reason();
    if (s->n_tokens < 1 || s->n_tokens > e->batch_cap) return -1;
    size_t seqs = 0;
    for (int32_t i = 0; i < s->n_tokens; i++) seqs += s->n_seq[i];
    if (seqs > e->seq_cap) {
        int32_t *grown = realloc(e->seq, seqs * 2 * sizeof *grown);
        if (!grown) return -1;
        e->seq     = grown;
        e->seq_cap = seqs * 2;
    }
    memcpy(e->seq, s->seq, seqs * sizeof *s->seq);
    memcpy(e->batch.token, s->token, s->n_tokens * sizeof *s->token);
    memcpy(e->batch.pos, s->pos, s->n_tokens * sizeof *s->pos);
    memcpy(e->batch.n_seq_id, s->n_seq, s->n_tokens * sizeof *s->n_seq);
    memset(e->batch.logits, 0, s->n_tokens);
    for (int32_t i = 0, at = 0; i < s->n_tokens; at += s->n_seq[i++]) e->batch.seq_id[i] = e->seq + at;
    for (int32_t i = 0; i < s->n_out; i++) e->batch.logits[s->out_index[i]] = 1;
    e->batch.n_tokens = s->n_tokens;
    int32_t targets = 0;
    for (int32_t i = 0; i < s->n_out; i++) targets += s->out_targets[i];
    int32_t outputs = 0; // several of s may be of one token
    for (int32_t i = 0; i < s->n_tokens; i++) outputs += e->batch.logits[i];
    if (targets > 0 && !e->bare) fill_up(e, outputs);
    e->handed += e->batch.n_tokens;

    guard(e, true);
    int rc = llama_decode(e->ctx, e->batch);
    guard(e, false);
    if (e->batch.n_tokens > s->n_tokens) llama_memory_seq_rm(e->memory, e->padding, -1, -1);
    if (rc != 0) return rc;
    for (int32_t i = 0, at = 0; i < s->n_out; i++) {
        const float *row = llama_get_logits_ith(e->ctx, s->out_index[i]);
        if (!row) return -1;
        if (s->out_want[i] & WHET_BEST) s->best[i] = arg_max(row, e->n_vocab);
        if (s->out_want[i] & WHET_LSE) s->lse[i] = log_sum_exp(row, e->n_vocab);
        for (int32_t j = 0; j < s->out_targets[i]; j++, at++) s->target_logit[at] = row[s->target[at]];
    }
    return 0;
}

uint64_t whet_handed(const whet_engine *e) { return e->handed; }

const float *whet_row(whet_engine *e, int32_t index) { return llama_get_logits_ith(e->ctx, index); }

void whet_abort(whet_engine *e, int on) { atomic_store(&e->abort, on); }

void whet_copy(whet_engine *e, int32_t src, int32_t dst, int32_t end) { llama_memory_seq_cp(e->memory, src, dst, 0, end); }

int whet_cut(whet_engine *e, int32_t seq, int32_t begin) { return llama_memory_seq_rm(e->memory, seq, begin, -1); }

int32_t whet_first(whet_engine *e, int32_t seq) { return llama_memory_seq_pos_min(e->memory, seq); }

int32_t whet_length(whet_engine *e, int32_t seq) { return llama_memory_seq_pos_max(e->memory, seq) + 1; }

int32_t whet_tokenize(const whet_engine *e, const char *text, int32_t n, int32_t *out, int32_t cap, int special) {
    return llama_tokenize(e->vocab, text, n, out, cap, false, special != 0);
}

int32_t whet_piece(const whet_engine *e, int32_t token, char *out, int32_t cap) {
    return llama_token_to_piece(e->vocab, token, out, cap, 0, false);
}

int whet_is_end(const whet_engine *e, int32_t token) { return llama_vocab_is_eog(e->vocab, token); }

int whet_quantize(const char *from, const char *to, int32_t type) {
    whet_init();
    forget_reason();
    struct llama_model_quantize_params p = llama_model_quantize_default_params();
    p.ftype            = (enum llama_ftype) type;
    p.allow_requantize = true;
    return (int) llama_model_quantize(from, to, &p);
}
