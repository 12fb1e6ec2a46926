// Package bayes is a multinomial naive Bayes classifier of texts: a baseline that needs no
// language model, to be printed beside a program's own figures.
//
// It is what scikit-learn's CountVectorizer and MultinomialNB do by default, so that nothing
// about it was chosen on the data that it is used on. The text is lower-cased; a token is a
// longest run of letters, digits and underscores, of two characters at least; a repeated
// token counts each time. Class priors are the shares of the rows, unsmoothed; probabilities
// of words are Laplace-smoothed, (n+1)/(total of the class + size of the vocabulary of all
// classes). Words that no row has say nothing.
package bayes
