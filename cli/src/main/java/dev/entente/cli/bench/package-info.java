// SPDX-License-Identifier: Apache-2.0

/**
 * Load over HTTP, for {@code entente bench} and the benchmarks: closed loops over connections that
 * do no more than they must. Never used by a node.
 */
@NullMarked
package dev.entente.cli.bench;

import org.jspecify.annotations.NullMarked;
