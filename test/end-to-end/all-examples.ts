/** The workflows of all examples, for one worker. */
export * from '../../examples/own-worker/workflows.js';
export { chooseModel } from '../../examples/fine-tune-and-evaluate/workflow.js';
export { classifyInbox } from '../../examples/nightly-classification/workflow.js';
