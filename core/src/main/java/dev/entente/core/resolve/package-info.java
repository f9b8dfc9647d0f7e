// SPDX-License-Identifier: Apache-2.0
/**
 * Detects conflicts, classifies them, settles them by policy and says why; derives the view. Pure.
 */
@NullMarked
package dev.entente.core.resolve;

import org.jspecify.annotations.NullMarked;
