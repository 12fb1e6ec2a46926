// Package factor is a Bayesian linear model of scores that come from crossing candidates
// with items:
//
//	y = mean + sum of the candidate's effects + effect of the item + noise
//
// All effects have Gaussian priors of mean 0, whose scales are shared by groups, so that the
// posterior has a closed form. A candidate's effects are indicators: the instruction that it
// has, each of its demos, what it is as a whole. What is learned of one candidate so says
// something of all that share a part with it.
//
// Items are many, and each observation has one: their block of the precision matrix is
// diagonal, so it is eliminated by its Schur complement, and what is left to factorise has
// the size of the other effects alone (Rasmussen and Williams, Gaussian Processes for
// Machine Learning, section 2.1, has the posterior; Golub and Van Loan, Matrix Computations,
// section 4.2, the elimination). [Model.LogMarginal] is the likelihood of the observations
// with all effects integrated out (there, section 5.4.1), by which [Model.Refit] moves the
// scales.
//
// A model is for one goroutine at a time.
package factor
