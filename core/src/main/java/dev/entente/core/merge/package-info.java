// SPDX-License-Identifier: Apache-2.0
/**
 * Three-way structural merging of values against what they replaced. Never knows time or authors.
 */
@NullMarked
package dev.entente.core.merge;

import org.jspecify.annotations.NullMarked;
