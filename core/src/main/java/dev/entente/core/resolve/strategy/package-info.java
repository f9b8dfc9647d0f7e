// SPDX-License-Identifier: Apache-2.0
/**
 * The built-in strategies, one file each, behind {@link dev.entente.core.resolve.Strategy}. Pure
 * functions of a dispute.
 */
@NullMarked
package dev.entente.core.resolve.strategy;

import org.jspecify.annotations.NullMarked;
