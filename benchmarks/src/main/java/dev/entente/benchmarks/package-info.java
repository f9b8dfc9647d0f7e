// SPDX-License-Identifier: Apache-2.0
/**
 * Kernel benchmarks by JMH, the store's own limit, and a load generator for the node. Figures go to
 * {@code docs/benchmarks.md}.
 */
@NullMarked
package dev.entente.benchmarks;

import org.jspecify.annotations.NullMarked;
