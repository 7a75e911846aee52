/** The activities as workflows call them and workers implement them. */
import type { AccountWatchActivities } from './account-watch.js';
import type { BatchActivities } from './batch.js';
import type { BulkBatchActivities } from './bulk-batch.js';
import type { FileActivities } from './files.js';
import type { FineTuningActivities } from './fine-tuning.js';
import type { OperatorActivities } from './operators.js';
import type { PartRunActivities } from './part-runs.js';
import type { TokenBudgetActivities } from './token-budget.js';

/** The activities by their names. Their arguments are those of the library's workflows; what people call is in `OperatorActivities`. */
export type Activities = FileActivities &
  BatchActivities &
  FineTuningActivities &
  BulkBatchActivities &
  PartRunActivities &
  TokenBudgetActivities &
  AccountWatchActivities &
  OperatorActivities;
