// SPDX-License-Identifier: Apache-2.0
/**
 * Who has seen what: nodes, dots, version vectors, causal contexts, hybrid time. Never reads an
 * ambient clock.
 */
@NullMarked
package dev.entente.core.causality;

import org.jspecify.annotations.NullMarked;
