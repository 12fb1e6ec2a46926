// Package tpe chooses among combinations of categorical parameters by a Tree-structured
// Parzen Estimator (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS
// 2011): the search that DSPy's MIPROv2 takes from Optuna.
//
// What was observed is split by score into the best few and the rest. Each part becomes a
// mixture, and of some combinations drawn from the mixture of the best, the one is taken
// whose density there is greatest in relation to that of the rest. The mixtures are joint
// ones, a component per observation over all parameters at once (multivariate), as in Falkner
// et al., "BOHB" (ICML 2018), so that parameters that matter only together are found.
//
// Settings and smoothing are those that Optuna documents for
// TPESampler(multivariate=True): 10 observations before the model is used, the best
// min(ceil(n/10), 25) of n, 24 combinations drawn, a prior of the weight of one observation,
// and older observations of the rest weighing less once there are 25 ("linear ramp"). A
// combination may be proposed again.
//
// The distribution of proposals after given observations is Optuna's; a test compares them.
// The single draw is not: Optuna draws from numpy's generator, this package from PCG of
// math/rand/v2. So a run here and one there with the same seed try other combinations.
package tpe
