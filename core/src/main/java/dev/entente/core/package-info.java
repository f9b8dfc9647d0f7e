// SPDX-License-Identifier: Apache-2.0
/** The pure core: no I/O, threads, ambient clock, randomness or logging. */
@NullMarked
package dev.entente.core;

import org.jspecify.annotations.NullMarked;
