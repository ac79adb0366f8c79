"""Handwritten digits, learned by three who have never seen each other's: the smallest app, with scikit-learn."""

import numpy as np
from sklearn import datasets, linear_model, model_selection

import fedka

app = fedka.App()
X, X_test, y, y_test = model_selection.train_test_split(*datasets.load_digits(return_X_y=True), random_state=0)


@app.model
def model(context):
    return {"coef": np.zeros((10, 64)), "intercept": np.zeros(10)}


@app.train
def train(model, context):  # one pass over one's own images, from where the shared model stands
    mine = np.isin(y, [int(digit) for digit in context.config["digits"]])
    sgd = linear_model.SGDClassifier(loss="log_loss", learning_rate="constant", eta0=1e-4, random_state=context.seed)
    sgd.coef_, sgd.intercept_ = model["coef"], model["intercept"]  # the arrays themselves: partial_fit changes them
    sgd.partial_fit(X[mine], y[mine], classes=range(10))
    return fedka.Trained(examples=mine.sum(), metrics={"train_score": sgd.score(X[mine], y[mine])})


@app.evaluate
def evaluate(model, context):  # on images of one's own digits that nobody trained on
    mine = np.isin(y_test, [int(digit) for digit in context.config["digits"]])
    found = (X_test[mine] @ model["coef"].T + model["intercept"]).argmax(axis=1)
    return fedka.Evaluated(examples=mine.sum(), metrics={"test_score": (found == y_test[mine]).mean()})
