// Package llamagrammar runs llama.cpp's own parser and matcher of GBNF, to compare
// others with. Only tests import it; with the build tag llamacpp it is there, without it
// it is empty. It loads the vocabulary of a model and no weights.
package llamagrammar
