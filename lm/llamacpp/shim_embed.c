//go:build llamacpp

#include "shim_embed.h"

#include <llama.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct whet_embedder {
    struct llama_context *ctx;
    llama_memory_t        memory; // NULL where the model keeps nothing
    struct llama_batch    batch;
    int32_t               batch_cap;
    int32_t               width;
    int32_t               pooling;
    int                   encode;
    atomic_int            abort;
};

static bool aborted(void *m) { return atomic_load(&((whet_embedder *) m)->abort) != 0; }

// meta copies the value of the model's own key of that name, for example "bert.pooling_type",
// and reports whether there is one.
static int meta(const struct llama_model *model, const char *name, char *out, size_t cap) {
    char architecture[64], key[128];
    if (llama_model_meta_val_str(model, "general.architecture", architecture, sizeof architecture) < 0) return 0;
    snprintf(key, sizeof key, "%s.%s", architecture, name);
    return llama_model_meta_val_str(model, key, out, cap) >= 0;
}

static int is_token(const struct llama_vocab *vocab, llama_token id) { return id >= 0 && id < llama_vocab_n_tokens(vocab); }

void whet_embed_look(whet_engine *e, whet_embed_facts *f) {
    const struct llama_model *model = whet_model(e);
    const struct llama_vocab *vocab = llama_model_get_vocab(model);
    enum llama_vocab_type     type  = llama_vocab_type(vocab);
    char value[32];
    f->width         = llama_model_n_embd_out(model);
    f->vocab         = llama_vocab_n_tokens(vocab);
    f->train_context = llama_model_n_ctx_train(model);
    f->pooling       = meta(model, "pooling_type", value, sizeof value) ? atoi(value) : -1;
    f->whole         = meta(model, "attention.causal", value, sizeof value) && strcmp(value, "false") == 0;
    f->recurrent     = llama_model_is_recurrent(model);
    f->hybrid        = llama_model_is_hybrid(model);
    f->diffusion     = llama_model_is_diffusion(model);
    f->decoder       = llama_model_has_encoder(model) && llama_model_has_decoder(model);
    f->no_vocab      = type == LLAMA_VOCAB_TYPE_NONE;
    // BERT's tokenizer adds both whatever the file says.
    int wpm   = type == LLAMA_VOCAB_TYPE_WPM;
    f->no_bos = (wpm || llama_vocab_get_add_bos(vocab)) && !is_token(vocab, llama_vocab_bos(vocab));
    f->no_eos = llama_vocab_get_add_eos(vocab) && !is_token(vocab, llama_vocab_eos(vocab));
    f->no_sep = wpm && !is_token(vocab, llama_vocab_sep(vocab));
}

// With every token's state asked for, llama.cpp also computes every token's logits, which
// for a model with a large vocabulary is most of the work. The states bear this name, and
// come before: the graph is left there.
static bool until_states(struct ggml_tensor *t, bool ask, void *unused) {
    (void) unused;
    return ask && strcmp(t->name, "result_embd_pooled") == 0;
}

int whet_embed_start(whet_engine *e, whet_embed_sizes z, whet_embedder **out) {
    *out = NULL;
    whet_forget_reason();
    struct llama_model *model = whet_model(e);
    whet_embedder *m = calloc(1, sizeof *m);
    if (!m) return WHET_FAILED;
    m->width     = llama_model_n_embd_out(model);
    m->batch_cap = z.batch;
    m->pooling   = z.pooling;
    m->encode    = llama_model_has_encoder(model);

    struct llama_context_params p = llama_context_default_params();
    p.n_ctx           = z.context + z.batch; // a long text in parts, and the texts of the step beside it
    p.n_batch         = z.batch;
    p.n_ubatch        = z.batch;
    p.n_seq_max       = z.sequences;
    p.n_threads       = z.threads;
    p.n_threads_batch = z.threads;
    p.embeddings      = true;
    p.pooling_type    = z.pooling ? (enum llama_pooling_type) z.pooling : LLAMA_POOLING_TYPE_NONE;
    // With a buffer for each sequence llama.cpp would divide a step by their lengths.
    p.kv_unified          = true;
    p.swa_full            = true;
    p.abort_callback      = aborted;
    p.abort_callback_data = m;
    // A projection of the states comes after the logits and bears the same name.
    char dense[32];
    if (!z.pooling && !m->encode && !meta(model, "dense_2_feat_out", dense, sizeof dense)) p.cb_eval = until_states;
    m->ctx = llama_init_from_model(model, p);
    if (!m->ctx) {
        free(m);
        return WHET_FAILED;
    }
    m->memory = llama_get_memory(m->ctx);
    m->batch  = llama_batch_init(z.batch, 0, 1);
    *out      = m;
    return m->memory && !m->encode ? WHET_PARTS : WHET_WHOLE;
}

void whet_embed_free(whet_embedder *m) {
    if (!m) return;
    llama_batch_free(m->batch);
    llama_free(m->ctx);
    free(m);
}

int whet_embed_step(whet_embedder *m, int32_t n, const int32_t *token, const int32_t *pos, const int32_t *seq,
                    const int32_t *into, double *sum) {
    whet_forget_reason();
    if (n < 1 || n > m->batch_cap) return -1;
    struct llama_batch *b = &m->batch;
    b->n_tokens = n;
    memcpy(b->token, token, n * sizeof *token);
    memcpy(b->pos, pos, n * sizeof *pos);
    memset(b->logits, 1, n);
    for (int32_t i = 0; i < n; i++) {
        b->n_seq_id[i]  = 1;
        b->seq_id[i][0] = seq[i];
    }
    int rc = m->encode ? llama_encode(m->ctx, *b) : llama_decode(m->ctx, *b);
    if (rc != 0) return rc;
    for (int32_t i = 0; i < n; i++) {
        if (into[i] < 0) continue;
        // llama.cpp's own pooling has one vector for all of the sequence's tokens.
        const float *row = m->pooling ? llama_get_embeddings_seq(m->ctx, seq[i]) : llama_get_embeddings_ith(m->ctx, i);
        if (!row) return -1;
        double *to = sum + (size_t) into[i] * m->width;
        for (int32_t k = 0; k < m->width; k++) to[k] += row[k];
    }
    return 0;
}

void whet_embed_forget(whet_embedder *m, int32_t seq) {
    if (m->memory) llama_memory_seq_rm(m->memory, seq, -1, -1);
}

void whet_embed_abort(whet_embedder *m, int on) { atomic_store(&m->abort, on); }

int32_t whet_embed_tokenize(const whet_engine *e, const char *text, int32_t n, int32_t *out, int32_t cap) {
    const struct llama_vocab *vocab = llama_model_get_vocab(whet_model(e));
    return llama_tokenize(vocab, text, n, out, cap, true, false);
}
